/** The kind `compare`: how alike submissions for a task are. */
import type { Tx } from "../db/database.ts";
import type { JobKind, JobRow } from "./kinds.ts";
import { type ComparePayload, type CompareResult, comparePayload, compareResult } from "./task-payloads.ts";

export const compareKind: JobKind<ComparePayload, CompareResult> = {
  name: "compare",
  payload: comparePayload,
  result: compareResult,
  bundles: ({ submissions, template }) => [
    ...submissions.map(({ digest }) => digest),
    ...(template === null ? [] : [template]),
  ],
  started: (_app, tx, job) => setState(tx, job, "running"),
  revived: (_app, tx, job) => setState(tx, job, "waiting"),

  async ended(_app, tx, job, { outcome, result }) {
    if (outcome.kind !== "completed" || result === null)
      return await setState(tx, job, outcome.kind === "cancelled" ? "cancelled" : "failed");
    await tx
      .updateTable("task_comparisons")
      .set({ state: "done", result: JSON.stringify(result) })
      .where("job_id", "=", job.id)
      .execute();
  },

  closed: (_app, tx, job, { outcome }) => setState(tx, job, outcome.kind === "cancelled" ? "cancelled" : "failed"),
};

async function setState(tx: Tx, job: JobRow, state: "waiting" | "running" | "cancelled" | "failed"): Promise<void> {
  await tx.updateTable("task_comparisons").set({ state }).where("job_id", "=", job.id).execute();
}
