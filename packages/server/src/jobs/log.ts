/**
 * What the log says of jobs: how each ended, and what went wrong with an attempt. As the figures are, it is said within the
 * transaction: of one that is begun again it may stand there twice.
 */
import type { App } from "../app.ts";
import type { OutcomeRow } from "../db/types.ts";
import { WORKER_STOPPED } from "./bounds.ts";
import type { JobRow } from "./kinds.ts";

const MOST_DETAIL = 500;

const lineOf = ({ id, kind, queue, attempt }: JobRow, outcome: OutcomeRow) => ({
  jobId: id,
  kind,
  queue,
  attempt,
  outcome: outcome.kind,
  ...(outcome.fault === undefined ? {} : { fault: outcome.fault }),
  ...(outcome.seats === undefined ? {} : { seats: outcome.seats }),
});
const why = ({ detail }: OutcomeRow) => (detail === undefined ? {} : { detail: detail.slice(0, MOST_DETAIL) });

/** It ended for good. `seconds`: since its first lease; null where it had none. */
export function logEnded({ log }: App, job: JobRow, outcome: OutcomeRow, seconds: number | null): void {
  const line = { ...lineOf(job, outcome), ...(seconds === null ? {} : { seconds }) };
  if (outcome.kind === "infra_fault") log.warn({ ...line, ...why(outcome) }, "job ended by a fault of ours");
  else log.info(line, "job ended");
}

/** The attempt ended in a fault of ours. */
export function logFailed({ log }: App, job: JobRow, outcome: OutcomeRow): void {
  const line = { ...lineOf(job, outcome), workerId: job.worker_id, ...why(outcome) };
  // An end that somebody asked for.
  if (outcome.fault === WORKER_STOPPED) log.info(line, "attempt given back");
  else if (outcome.fault === "lease_lost") log.warn(line, "lease lost: its worker was not heard of");
  else log.warn(line, "attempt failed");
}

/** It was set aside. */
export function logDead({ log }: App, job: JobRow, outcome: OutcomeRow): void {
  log.warn(
    { ...lineOf(job, outcome), ...why(outcome) },
    "job is dead: every attempt failed, somebody has to look at it",
  );
}
