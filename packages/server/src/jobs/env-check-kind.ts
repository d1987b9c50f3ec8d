/** The kind `env_check`: an environment that was handed in is ready, or refused for what was found. */
import type { Tx } from "../db/database.ts";
import type { EnvironmentsTable } from "../db/types.ts";
import { type EnvCheckPayload, type EnvCheckResult, envCheckPayload, envCheckResult } from "./environment-payloads.ts";
import type { JobEnd, JobKind, JobRow } from "./kinds.ts";

type State = Exclude<EnvironmentsTable["state"]["__select__"], "checking">;

export const envCheckKind: JobKind<EnvCheckPayload, EnvCheckResult> = {
  name: "env_check",
  payload: envCheckPayload,
  result: envCheckResult,
  bundles: (payload) => [payload.environment],

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

  async revived(_app, tx, job) {
    await tx.updateTable("environments").set({ state: "checking" }).where("job_id", "=", job.id).execute();
  },
};

/** Nothing can be played in one of which nothing is known. */
function stateOf({ outcome, result }: JobEnd<EnvCheckResult>): State {
  if (outcome.kind === "cancelled") return "cancelled";
  if (outcome.kind === "infra_fault" || result === null) return "failed";
  return result.ok && result.summary !== null ? "ready" : "refused";
}

async function write(tx: Tx, job: JobRow, state: State, more: { findings?: string; summary?: string | null } = {}) {
  await tx
    .updateTable("environments")
    .set({ state, ...more })
    .where("job_id", "=", job.id)
    .execute();
}
