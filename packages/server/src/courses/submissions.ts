/** What was handed in for tasks, as rows and as messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { TaskSubmission_State, type TaskSubmissionSchema } from "@lanista/api/gen/lanista/v1/grades_pb";
import { type Selectable, sql } from "kysely";
import type { App } from "../app.ts";
import { notFound, type Role, requireOwn } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import type { TaskSubmissionsTable } from "../db/types.ts";
import { whyWaiting } from "../jobs/waiting.ts";
import type { PageWanted } from "../rpc/paging.ts";
import { deductionPercent } from "./lateness.ts";
import { settingsOf } from "./settings.ts";

export type TaskSubmissionRow = Selectable<TaskSubmissionsTable> & {
  /** Of somebody who has not come in yet: his address. */
  readonly owner_name: string;
  readonly settings: unknown;
};

const STATES = {
  waiting: TaskSubmission_State.WAITING,
  running: TaskSubmission_State.RUNNING,
  graded: TaskSubmission_State.GRADED,
  cancelled: TaskSubmission_State.CANCELLED,
  failed: TaskSubmission_State.FAILED,
} as const;

export function selectTaskSubmissions(db: Db | Tx) {
  return db
    .selectFrom("task_submissions as s")
    .leftJoin("user as u", "u.id", "s.owner_id")
    .innerJoin("tasks as t", "t.id", "s.task_id")
    .selectAll("s")
    .select(["t.settings", sql<string>`coalesce(u.name, s.held_for)`.as("owner_name")]);
}

/** The caller's own, or of a course whose staff he is. Throws LanistaError `not_found`. */
export async function ownTaskSubmission(
  db: Db | Tx,
  caller: Caller,
  id: string,
): Promise<{ submission: TaskSubmissionRow; role: Role }> {
  const submission = await selectTaskSubmissions(db).where("s.id", "=", id).executeTakeFirst();
  if (submission === undefined) throw notFound("the submission");
  const whose = { spaceId: submission.space_id, ownerId: submission.owner_id };
  return { submission, role: await requireOwn(db, caller, whose, "the submission", "assistant") };
}

export interface SubmissionsWanted {
  readonly spaceId: string;
  readonly taskId?: string | undefined;
  readonly ownerId?: string | undefined;
}

/** Newest first. One row more than the page has. */
export async function listTaskSubmissions(
  db: Db | Tx,
  { spaceId, taskId, ownerId }: SubmissionsWanted,
  { size, after }: PageWanted,
): Promise<TaskSubmissionRow[]> {
  let query = selectTaskSubmissions(db).where("s.space_id", "=", spaceId);
  if (taskId !== undefined) query = query.where("s.task_id", "=", taskId);
  if (ownerId !== undefined) query = query.where("s.owner_id", "=", ownerId);
  if (after !== null) query = query.where(sql<boolean>`s.id < ${String(after[0])}::uuid`);
  return await query
    .orderBy("s.id", "desc")
    .limit(size + 1)
    .execute();
}

export function taskSubmissionMessage(row: TaskSubmissionRow): MessageInitShape<typeof TaskSubmissionSchema> {
  return {
    id: row.id,
    taskId: row.task_id,
    spaceId: row.space_id,
    ownerId: row.owner_id ?? "",
    ownerName: row.owner_name,
    number: row.number,
    digest: row.digest,
    sizeBytes: BigInt(row.size_bytes),
    state: STATES[row.state],
    jobId: row.job_id ?? "",
    arrivedAt: timestampFromDate(row.arrived_at),
    lateSeconds: BigInt(row.late_seconds),
    deductionPercent: deductionPercent(settingsOf(row), row.late_seconds),
    ...(row.points === null ? {} : { points: row.points }),
    outOf: row.out_of ?? 0,
    estimateSeconds: -1n,
    grades: row.grades,
    heldFor: row.held_for ?? "",
    ...(row.import_key === null
      ? {}
      : { imported: { key: row.import_key, fingerprint: row.import_fingerprint ?? "", counts: row.counts } }),
  };
}

/** With its place in the queue, while it waits. */
export async function placedSubmission(
  app: App,
  db: Db | Tx,
  row: TaskSubmissionRow,
): Promise<MessageInitShape<typeof TaskSubmissionSchema>> {
  const message = taskSubmissionMessage(row);
  if (row.state !== "waiting") return message;
  const job = await db.selectFrom("jobs").selectAll().where("id", "=", row.job_id).executeTakeFirstOrThrow();
  // It may have been taken between the two readings.
  if (job.state !== "waiting") return message;
  const { position, estimateSeconds, detail } = await whyWaiting(app, db, job);
  return { ...message, position, estimateSeconds: BigInt(estimateSeconds), waitDetail: detail };
}
