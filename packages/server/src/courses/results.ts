/** The gradebook: each student's points for each task, counted from rows each time it is asked for. */
import { sql } from "kysely";
import type { Db, Tx } from "../db/database.ts";
import { taskSummary } from "../jobs/task-payloads.ts";
import type { PageWanted } from "../rpc/paging.ts";
import { type Counted, countedOf, type Graded } from "./counted.ts";
import { settingsOf } from "./settings.ts";
import { listTasks, type TaskRow } from "./tasks.ts";

export interface TaskOutcome {
  readonly task: TaskRow;
  readonly outOf: number;
  /** What counts; null where there is nothing yet. */
  readonly points: number | null;
  readonly counted: Counted | null;
  readonly submissions: number;
  /** Of them, not graded yet. */
  readonly open: number;
  readonly mark: { readonly points: number; readonly note: string } | null;
  readonly extendedUntil: Date | null;
}

export interface StudentOutcome {
  /** Empty: of somebody who has not come in yet. */
  readonly userId: string;
  /** What lists are sorted by. */
  readonly key: string;
  readonly name: string;
  readonly email: string;
  readonly group: string;
  readonly tasks: readonly TaskOutcome[];
  readonly total: number;
}

const MOST_TASKS = 1000;

/** The course's tasks that are looked at: for `staff` drafts as well. */
export async function resultTasks(db: Db | Tx, spaceId: string, staff: boolean): Promise<readonly TaskRow[]> {
  return await listTasks(db, spaceId, staff, { size: MOST_TASKS, after: null });
}

/** Students by id; all, or one. One more than the page has. */
export async function results(
  db: Db | Tx,
  spaceId: string,
  tasks: readonly TaskRow[],
  { size, after }: PageWanted,
  only?: string,
): Promise<StudentOutcome[]> {
  const students = await studentsOf(db, spaceId, { size, after }, only ?? null);
  const cells = await cellsOf(
    db,
    tasks.map(({ id }) => id),
    students,
  );
  const points = await fullMarks(db, tasks);
  return students.map(({ key, user_id, name, email, group_name: group }) => {
    const outcomes = tasks.map((task) => outcomeOf(task, points.get(task.id) ?? 0, cells.get(`${task.id} ${key}`)));
    const total = outcomes.reduce((sum, { points: own }) => sum + (own ?? 0), 0);
    return { userId: user_id ?? "", key, name, email, group, tasks: outcomes, total };
  });
}

interface Student {
  readonly key: string;
  readonly user_id: string | null;
  readonly held_for: string | null;
  readonly name: string;
  readonly email: string;
  readonly group_name: string;
}

/** The course's students, and those who have not come in yet but have something here that was brought over. */
async function studentsOf(
  db: Db | Tx,
  spaceId: string,
  { size, after }: PageWanted,
  only: string | null,
): Promise<readonly Student[]> {
  const from = after === null ? null : String(after[0]);
  const { rows } = await sql<Student>`
    SELECT * FROM (
      SELECT m.user_id AS key, m.user_id, NULL::text AS held_for, u.name, u.email, m.group_name
      FROM members m JOIN "user" u ON u.id = m.user_id WHERE m.space_id = ${spaceId}
        AND CASE WHEN ${only}::text IS NULL THEN m.role = 'participant' ELSE m.user_id = ${only} END
      UNION ALL
      SELECT 'held ' || s.held_for, NULL, s.held_for, coalesce(i.note, s.held_for), s.held_for, coalesce(i.group_name, '')
      FROM (SELECT DISTINCT held_for FROM task_submissions WHERE space_id = ${spaceId} AND held_for IS NOT NULL) s
      LEFT JOIN invitations i ON i.email = s.held_for AND i.space_id = ${spaceId} AND i.uses_left > 0 AND i.revoked_at IS NULL
      WHERE ${only}::text IS NULL AND coalesce(i.role, 'participant') = 'participant') AS students
    WHERE ${from}::text IS NULL OR key > ${from} ORDER BY key LIMIT ${size + 1}`.execute(db);
  return rows;
}

interface Cell {
  readonly task_id: string;
  readonly key: string;
  readonly submissions: number;
  readonly open: number;
  readonly graded: readonly Graded[];
  readonly mark: { readonly points: number | null; readonly note: string } | null;
  readonly until: string | null;
}

function outcomeOf(task: TaskRow, outOf: number, cell: Cell | undefined): TaskOutcome {
  const counted = countedOf(settingsOf(task), outOf, cell?.graded ?? []);
  const { mark: given = null } = cell ?? {};
  const mark = given === null || given.points === null ? null : { points: given.points, note: given.note };
  return {
    task,
    outOf,
    points: mark?.points ?? counted?.points ?? null,
    counted,
    submissions: cell?.submissions ?? 0,
    open: cell?.open ?? 0,
    mark,
    extendedUntil: cell?.until == null ? null : new Date(cell.until),
  };
}

/** What full marks are: as set, else as the bundle in use says. */
export async function fullMarks(db: Db | Tx, tasks: readonly TaskRow[]): Promise<ReadonlyMap<string, number>> {
  const found = new Map(tasks.map((task) => [task.id, settingsOf(task).points]));
  const own = [...found].filter(([, points]) => points === 0).map(([id]) => id);
  if (own.length === 0) return found;
  const rows = await db
    .selectFrom("task_versions")
    .select(["task_id", "summary"])
    .where("task_id", "in", own)
    .where("in_use", "=", true)
    .execute();
  for (const { task_id, summary } of rows) found.set(task_id, taskSummary.parse(summary).points);
  return found;
}

/** By `TASK KEY`. */
async function cellsOf(
  db: Db | Tx,
  taskIds: readonly string[],
  students: readonly Student[],
): Promise<ReadonlyMap<string, Cell>> {
  const { rows } = await sql<Cell>`
    SELECT t.id AS task_id, u.key, coalesce(s.submissions, 0) AS submissions, coalesce(s.open, 0) AS open,
      coalesce(s.graded, '[]') AS graded, m.mark, e.until::text AS until
    FROM unnest(${taskIds}::uuid[]) AS t (id) CROSS JOIN unnest(
      ${students.map(({ key }) => key)}::text[], ${students.map(({ user_id }) => user_id)}::text[],
      ${students.map(({ held_for }) => held_for)}::text[]) AS u (key, id, held)
    LEFT JOIN LATERAL (
      SELECT count(*)::int AS submissions, count(*) FILTER (WHERE state IN ('waiting', 'running'))::int AS open,
        json_agg(json_build_object('id', id, 'number', number,
          'arrived', extract(epoch FROM arrived_at), 'late_seconds', late_seconds, 'points', points,
          'out_of', out_of)) FILTER (WHERE points IS NOT NULL AND counts) AS graded
      FROM task_submissions WHERE task_id = t.id AND (owner_id = u.id OR held_for = u.held)
        AND (state <> 'cancelled' OR grades > 0)) s ON true
    LEFT JOIN LATERAL (
      SELECT json_build_object('points', points, 'note', note) AS mark FROM task_marks
      WHERE task_id = t.id AND user_id = u.id ORDER BY id DESC LIMIT 1) m ON true
    LEFT JOIN task_extensions e ON e.task_id = t.id AND e.user_id = u.id
    WHERE s.submissions > 0 OR m.mark IS NOT NULL OR e.until IS NOT NULL`.execute(db);
  return new Map(rows.map((row) => [`${row.task_id} ${row.key}`, row]));
}
