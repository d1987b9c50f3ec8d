/** Kinds by which a worker checks a bundle for a row of its own: it is ready, or refused for what was found. */
import type { Tx } from "../db/database.ts";
import type { EnvironmentsTable } from "../db/types.ts";
import type { JobEnd, JobKind, JobRow } from "./kinds.ts";

type State = EnvironmentsTable["state"]["__select__"];

interface Checked {
  readonly ok: boolean;
  readonly findings: readonly unknown[];
  /** null where there is no manifest to be read: what nobody knows anything of is of no use. */
  readonly summary: object | null;
}

type Told = "ended" | "closed" | "revived";

/** `table`: where the job's row stands, under its `job_id`. */
export function checkKind<Payload, Result extends Checked>(
  table: "task_versions" | "environments",
  kind: Omit<JobKind<Payload, Result>, Told>,
): JobKind<Payload, Result> {
  const write = async (
    tx: Tx,
    job: JobRow,
    state: State,
    more: { findings?: string; summary?: string | null } = {},
  ) => {
    await tx
      // The columns written here are the same in both.
      .updateTable(table as "environments")
      .set({ state, ...more })
      .where("job_id", "=", job.id)
      .execute();
  };
  return {
    ...kind,

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
      await write(tx, job, "checking");
    },
  };
}

function stateOf({ outcome, result }: JobEnd<Checked>): State {
  if (outcome.kind === "cancelled") return "cancelled";
  if (outcome.kind === "infra_fault" || result === null) return "failed";
  return result.ok && result.summary !== null ? "ready" : "refused";
}
