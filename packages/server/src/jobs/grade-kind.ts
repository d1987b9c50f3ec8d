/**
 * The kind `grade`: what came of it is written for good, in the transaction that ends the job. What is no grade (a fault of ours, a
 * cancel) leaves the grades before as they are.
 */
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { JobEnd, JobKind, JobRow } from "./kinds.ts";
import {
  type GradeDocument,
  type GradePayload,
  type GradeResult,
  gradePayload,
  gradeResult,
  taskSummary,
} from "./task-payloads.ts";

export const gradeKind: JobKind<GradePayload, GradeResult> = {
  name: "grade",
  payload: gradePayload,
  result: gradeResult,
  bundles: (payload) => [payload.task, payload.agent],

  started: (app, tx, job) => setState(app, tx, job, "running"),
  revived: (app, tx, job) => setState(app, tx, job, "waiting"),

  async ended(_app, tx, job, end) {
    const grade = gradeOf(end);
    const submission = await tx
      .selectFrom("task_submissions")
      .select(["id", "grades"])
      .where("job_id", "=", job.id)
      .forUpdate()
      .executeTakeFirst();
    if (submission === undefined) return;
    if (grade === null) return await withoutGrade(tx, job, end);
    const { versionId } = gradePayload.parse(job.payload);
    await checkTask(tx, versionId, grade);
    const { points, outOf } = grade;
    const number = submission.grades + 1;
    await tx
      .insertInto("task_grades")
      .values({
        id: uuid(),
        submission_id: submission.id,
        number,
        version_id: versionId,
        job_id: job.id,
        outcome: grade.outcome.kind === "agent_fault" ? "agent_fault" : "completed",
        points,
        out_of: outOf,
        document: JSON.stringify(grade),
      })
      .execute();
    await tx
      .updateTable("task_submissions")
      .set({ state: "graded", grades: number, points, out_of: outOf })
      .where("id", "=", submission.id)
      .execute();
  },

  closed: (_app, tx, job, end) => withoutGrade(tx, job, end),
};

/** Throws where the worker's outcome and grade do not go together. */
function gradeOf({ outcome, result }: JobEnd<GradeResult>): GradeDocument | null {
  if (outcome.kind !== "completed" && outcome.kind !== "agent_fault") return null;
  const kind = result?.grade.outcome.kind;
  if (result === null || (kind !== "completed" && kind !== "agent_fault"))
    throw new Error(`a grading that ended as ${outcome.kind} brought a grade that ended as ${kind}`);
  return result.grade;
}

/** Throws where the grade is another task's. */
async function checkTask(tx: Tx, versionId: string, grade: GradeDocument): Promise<void> {
  const version = await tx
    .selectFrom("task_versions")
    .select("summary")
    .where("id", "=", versionId)
    .executeTakeFirstOrThrow();
  const { digest } = taskSummary.parse(version.summary);
  if (grade.task.digest !== digest) throw new Error(`the grade is of the task ${grade.task.digest}, not of ${digest}`);
}

async function withoutGrade(tx: Tx, job: JobRow, { outcome }: JobEnd<GradeResult>): Promise<void> {
  const state = outcome.kind === "cancelled" ? "cancelled" : "failed";
  await tx
    .updateTable("task_submissions")
    .set({ state: sql<"graded" | typeof state>`CASE WHEN grades > 0 THEN 'graded' ELSE ${state} END` })
    .where("job_id", "=", job.id)
    .execute();
}

async function setState(_app: App, tx: Tx, job: JobRow, state: "waiting" | "running"): Promise<void> {
  await tx.updateTable("task_submissions").set({ state }).where("job_id", "=", job.id).execute();
}
