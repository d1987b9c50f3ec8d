/** Grading again, by the version now in use: a new job, and the grades before stay. */
import { LanistaError } from "@lanista/api/errors";
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import { enqueueGrading } from "./enqueue-grading.ts";
import { type TaskVersionRow, versionInUse } from "./task-versions.ts";
import type { TaskRow } from "./tasks.ts";

const MOST_AT_ONCE = 500;

interface Again {
  readonly id: string;
  readonly digest: string;
  readonly number: number;
}

/** Throws LanistaError `conflict` where it is being graded, or there is nothing to grade it by. */
export async function regradeOne(app: App, tx: Tx, task: TaskRow, submissionId: string, by: string): Promise<void> {
  const version = await needVersion(tx, task.id);
  const row = await tx
    .selectFrom("task_submissions")
    .select(["id", "digest", "number", "state"])
    .where("id", "=", submissionId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (row.state === "waiting" || row.state === "running")
    throw new LanistaError("conflict", `the submission is ${row.state}: it is about to be graded anyway`);
  await again(app, tx, task, version, row, by);
}

/**
 * Those of a task that are graded or failed, and were not graded by this version yet; in the order they came. What its owner cancelled
 * stays so, and what was graded elsewhere, unless `imported`. Gives how many were queued, and how many are left.
 */
export async function regradeTask(
  app: App,
  tx: Tx,
  task: TaskRow,
  by: string,
  imported: boolean,
): Promise<{ queued: number; left: number }> {
  const version = await needVersion(tx, task.id);
  const { rows } = await sql<Again & { of: number }>`
    SELECT s.id, s.digest, s.number, count(*) OVER ()::int AS of FROM task_submissions s
    WHERE s.task_id = ${task.id} AND s.state IN ('graded', 'failed') AND (${imported} OR s.import_key IS NULL) AND NOT EXISTS (
      SELECT FROM task_grades g WHERE g.submission_id = s.id AND g.number = s.grades AND g.version_id = ${version.id})
    ORDER BY s.id LIMIT ${MOST_AT_ONCE}`.execute(tx);
  let queued = 0;
  for (const row of rows) {
    const locked = await tx
      .selectFrom("task_submissions")
      .select("state")
      .where("id", "=", row.id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    // Somebody else asked for it in this moment.
    if (locked.state === "waiting" || locked.state === "running") continue;
    await again(app, tx, task, version, row, by);
    queued++;
  }
  return { queued, left: (rows[0]?.of ?? 0) - rows.length };
}

async function needVersion(tx: Tx, taskId: string): Promise<TaskVersionRow> {
  const version = await versionInUse(tx, taskId);
  if (version === undefined) throw new LanistaError("conflict", "the task has no bundle in use");
  return version;
}

/** The job is whose asked for it: a student must not be able to cancel what may take points from him. */
async function again(app: App, tx: Tx, task: TaskRow, version: TaskVersionRow, row: Again, by: string): Promise<void> {
  const { digest, number } = row;
  const fairKey = `regrade:${task.id}`;
  const job = await enqueueGrading(app, tx, { task, version, digest, number, ownerId: by, fairKey });
  await tx.updateTable("task_submissions").set({ state: "waiting", job_id: job.id }).where("id", "=", row.id).execute();
}
