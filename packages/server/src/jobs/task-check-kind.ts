/** The kind `task_check`: a version of a task's bundle is ready, or refused for what was found. */
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { TaskVersionsTable } from "../db/types.ts";
import type { JobEnd, JobKind, JobRow } from "./kinds.ts";
import { type TaskCheckPayload, type TaskCheckResult, taskCheckPayload, taskCheckResult } from "./task-payloads.ts";

type State = Exclude<TaskVersionsTable["state"]["__select__"], "checking">;

export const taskCheckKind: JobKind<TaskCheckPayload, TaskCheckResult> = {
  name: "task_check",
  payload: taskCheckPayload,
  result: taskCheckResult,
  bundles: ({ task, template }) => [task, ...(template === undefined ? [] : [template])],

  async ended(_app, tx, job, end) {
    const { result } = end;
    await write(tx, job, stateOf(end), {
      findings: JSON.stringify(result?.findings ?? []),
      summary: result?.summary == null ? null : JSON.stringify(result.summary),
    });
  },

  async closed(_app, tx, job, { outcome }) {
    await write(tx, job, outcome.kind === "cancelled" ? "cancelled" : "failed");
  },

  async revived(_app: App, tx, job) {
    await tx.updateTable("task_versions").set({ state: "checking" }).where("job_id", "=", job.id).execute();
  },
};

/** A task without a summary can grade nobody. */
function stateOf({ outcome, result }: JobEnd<TaskCheckResult>): State {
  if (outcome.kind === "cancelled") return "cancelled";
  if (outcome.kind === "infra_fault" || result === null) return "failed";
  return result.ok && result.summary !== null ? "ready" : "refused";
}

async function write(tx: Tx, job: JobRow, state: State, more: { findings?: string; summary?: string | null } = {}) {
  await tx
    .updateTable("task_versions")
    .set({ state, ...more })
    .where("job_id", "=", job.id)
    .execute();
}
