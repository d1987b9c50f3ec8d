/** The kind `validate`: when it has ended, the submission it belongs to is accepted, rejected, or waits for a person. */
import type { Selectable } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { SubmissionsTable } from "../db/types.ts";
import { joinLadder } from "../ladder/join.ts";
import type { JobEnd, JobKind, JobRow } from "./kinds.ts";
import { type ValidatePayload, type ValidateResult, validatePayload, validateResult } from "./payloads.ts";

export const validateKind: JobKind<ValidatePayload, ValidateResult> = {
  name: "validate",
  payload: validatePayload,
  result: validateResult,
  bundles: ({ bundle, environment }) => [bundle, ...(environment === undefined ? [] : [environment.bundle])],

  async ended(app, tx, job, end) {
    const submission = await tx
      .selectFrom("submissions")
      .selectAll()
      .where("job_id", "=", job.id)
      .forUpdate()
      .executeTakeFirst();
    // One without a submission was asked for by a caller that waits for the job itself.
    if (submission === undefined) return;
    const { state, errors, warnings } = verdict(end);
    if (state === "accepted" || state === "rejected")
      await tx
        .updateTable("agent_versions")
        .set({ validation: state === "accepted" ? "valid" : "invalid", errors, warnings })
        .where("id", "=", submission.version_id)
        .execute();
    const refused = state === "accepted" ? await join(app, tx, submission) : undefined;
    const set = refused === undefined ? { state, errors } : { state: "cancelled" as const, errors: [refused] };
    await tx
      .updateTable("submissions")
      .set({ ...set, warnings })
      .where("id", "=", submission.id)
      .execute();
  },

  async closed(_app, tx, job, end) {
    const { state, errors } = verdict({ ...end, result: null });
    await tx.updateTable("submissions").set({ state, errors }).where("job_id", "=", job.id).execute();
  },

  async revived(_app, tx, job: JobRow) {
    await tx.updateTable("submissions").set({ state: "validating" }).where("job_id", "=", job.id).execute();
  },
};

interface Verdict {
  readonly state: "accepted" | "rejected" | "cancelled" | "failed";
  readonly errors: string[];
  readonly warnings: string[];
}

function verdict(end: JobEnd<ValidateResult>): Verdict {
  const { outcome, result } = end;
  const errors = [...(result?.errors ?? [])];
  const warnings = [...(result?.warnings ?? [])];
  if (outcome.kind === "cancelled") return { state: "cancelled", errors, warnings };
  if (outcome.kind === "infra_fault" || result === null)
    return { state: "failed", errors: ["a fault of ours ended the validation; it counts against no quota"], warnings };
  return { state: result.valid ? "accepted" : "rejected", errors, warnings };
}

/**
 * Gives why the ladder does not take it. Where a version handed in after this one is there already, nothing is to be done:
 * validations may end in another order than they began in.
 */
async function join(app: App, tx: Tx, submission: Selectable<SubmissionsTable>): Promise<string | undefined> {
  const { ladder_id: ladderId, agent_id: agentId, version_id: versionId } = submission;
  const later = await tx
    .selectFrom("submissions")
    .select("id")
    .where("agent_id", "=", agentId)
    .where("ladder_id", "=", ladderId)
    .where("state", "=", "accepted")
    .where("id", ">", submission.id)
    .limit(1)
    .executeTakeFirst();
  return later === undefined ? await joinLadder(app, tx, { ladderId, agentId, versionId }) : undefined;
}
