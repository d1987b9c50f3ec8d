/** How alike submissions are: a worker's job compares each student's last one. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import type { ComparisonSchema } from "@lanista/api/gen/lanista/v1/grades_pb";
import { type Selectable, sql } from "kysely";
import { v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import type { Db, Tx } from "../db/database.ts";
import type { TaskComparisonsTable } from "../db/types.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { compareResult, MOST_COMPARED } from "../jobs/task-payloads.ts";
import { settingsOf } from "./settings.ts";
import type { TaskRow } from "./tasks.ts";

export type ComparisonRow = Selectable<TaskComparisonsTable>;

const NEEDS = { cpus: 1, memoryBytes: 2 ** 30 };
const SECONDS = 3600;

/** Each student's last. */
export async function lastSubmissions(db: Db | Tx, taskId: string): Promise<readonly { id: string; digest: string }[]> {
  const { rows } = await sql<{ id: string; digest: string }>`
    SELECT DISTINCT ON (owner_id, held_for) id, digest FROM task_submissions
    WHERE task_id = ${taskId} AND (state <> 'cancelled' OR grades > 0) 
    ORDER BY owner_id, held_for, arrived_at DESC, number DESC`.execute(db);
  return rows;
}

export async function askComparison(app: App, tx: Tx, task: TaskRow, by: string): Promise<ComparisonRow> {
  const submissions = await lastSubmissions(tx, task.id);
  if (submissions.length > MOST_COMPARED)
    throw new LanistaError("conflict", `at most ${MOST_COMPARED} submissions are compared, and there are more`);
  const { queue } = settingsOf(task);
  const job = await enqueue(app, tx, {
    kind: "compare",
    queue,
    spaceId: task.space_id,
    ownerId: by,
    fairKey: `compare:${task.id}`,
    payload: { submissions, template: task.template_digest },
    needs: NEEDS,
    timeoutSeconds: SECONDS,
  });
  return await tx
    .insertInto("task_comparisons")
    .values({ id: uuid(), task_id: task.id, job_id: job.id, created_by: by })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function comparisonMessage(
  db: Db | Tx,
  row: ComparisonRow,
): Promise<MessageInitShape<typeof ComparisonSchema>> {
  const result = row.result === null ? undefined : compareResult.parse(row.result);
  const ids = [
    ...new Set([
      ...(result?.pairs.flatMap(({ a, b }) => [a, b]) ?? []),
      ...(result?.leftOut.map(({ id }) => id) ?? []),
    ]),
  ];
  const owners =
    ids.length === 0
      ? []
      : await db
          .selectFrom("task_submissions as s")
          .leftJoin("user as u", "u.id", "s.owner_id")
          .select(["s.id", sql<string>`coalesce(u.name, s.held_for)`.as("name")])
          .where("s.id", "in", ids)
          .execute();
  const names = new Map(owners.map(({ id, name }) => [id, name]));
  return {
    id: row.id,
    taskId: row.task_id,
    jobId: row.job_id,
    state: row.state,
    createdAt: timestampFromDate(row.created_at),
    pairs: (result?.pairs ?? []).map(({ a, b, likeness, shared }) => ({
      submissionA: a,
      submissionB: b,
      nameA: names.get(a) ?? "",
      nameB: names.get(b) ?? "",
      likeness,
      shared,
    })),
    compared: result?.compared ?? 0,
    leftOut: (result?.leftOut ?? []).map(({ id, why }) => `${names.get(id) ?? id}: ${why}`),
  };
}
