/**
 * A worker says how an attempt ended. Believed only under the fence of a running attempt of its own; then exactly once. What
 * cannot be believed is a fault of ours of that attempt, which is tried again, and never an exception.
 */
import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { LanistaError } from "@lanista/api/errors";
import { type Outcome, OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { type JobReport, JobReportSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { OutcomeRow } from "../db/types.ts";
import { keepBlob } from "../store/orphans.ts";
import { type Ending, endJob, failAttempt } from "./finish.ts";
import type { JobKind, JobRow } from "./kinds.ts";
import { knownKind } from "./known-kind.ts";
import { storeOutput } from "./output.ts";
import { parseStorable, storableText } from "./storable.ts";
import { inTransaction, isPassing } from "./transaction.ts";

export interface Answer {
  readonly accepted: boolean;
  readonly reason: string;
}

export const ACCEPTED: Answer = { accepted: true, reason: "" };
const STALE: Answer = { accepted: false, reason: "stale" };
const UNKNOWN: Answer = { accepted: false, reason: "unknown" };

/** Throws only what the database throws for the moment: then the same report is to be sent again. */
export async function report(app: App, workerId: string, said: JobReport): Promise<Answer> {
  const hash = hashOf(said);
  const early = await standing(app.db, workerId, said, hash);
  if ("answer" in early) return early.answer;
  const kind = knownKind(app, early.job.kind);
  const ending = endingOf(kind, said);
  // Before the transaction: a blob that no row names is collected later.
  const blob = said.replayGzip.length > 0 && ending !== null ? await keepBlob(app, said.replayGzip) : null;
  try {
    return await settle(app, workerId, said, hash, async (tx, job) =>
      ending === null
        ? await failAttempt(app, tx, job, faultOf(kind, said))
        : await endJob(app, tx, job, { ...ending, replayBlob: blob }),
    );
  } catch (error) {
    if (isPassing(error)) throw error;
    app.log.error({ err: error, jobId: said.jobId, kind: kind.name }, "a report could not be taken in");
    const detail = error instanceof LanistaError ? error.message : "the server could not take the report in";
    // Without the output: it may be what cannot be taken in.
    return await settle(app, workerId, { ...said, output: [] }, hash, (tx, job) =>
      failAttempt(app, tx, job, { kind: "infra_fault", fault: "invalid_report", detail }),
    );
  }
}

/** Over everything but the output: that is stored piece by piece, and pieces that are known may be left out. */
export function hashOf(said: JobReport): Buffer {
  const { jobId, fence, outcome, resultJson, replayGzip } = said;
  const rest = create(JobReportSchema, { jobId, fence, resultJson, replayGzip, ...(outcome && { outcome }) });
  return createHash("sha256").update(toBinary(JobReportSchema, rest)).digest();
}

type Standing = { readonly answer: Answer } | { readonly job: JobRow };

/** Whether the report is about a running attempt of this worker's; else the answer it gets. */
export async function standing(
  db: App["db"] | Tx,
  workerId: string,
  { jobId, fence }: JobReport,
  hash: Buffer,
  lock = false,
): Promise<Standing> {
  let query = db.selectFrom("jobs").selectAll().where("id", "=", jobId);
  if (lock) query = query.forUpdate();
  const job = await query.executeTakeFirst();
  if (job === undefined) return { answer: UNKNOWN };
  const attempt = await db
    .selectFrom("attempts")
    .select(["worker_id", "report_hash"])
    .where("job_id", "=", jobId)
    .where("fence", "=", Number(fence))
    .executeTakeFirst();
  if (attempt === undefined || attempt.worker_id !== workerId) return { answer: UNKNOWN };
  if (attempt.report_hash?.equals(hash) === true) return { answer: ACCEPTED };
  const own = job.state === "running" && job.fence === Number(fence) && job.worker_id === workerId;
  return own ? { job } : { answer: STALE };
}

async function settle(
  app: App,
  workerId: string,
  said: JobReport,
  hash: Buffer,
  body: (tx: Tx, job: JobRow) => Promise<string[]>,
): Promise<Answer> {
  const { answer, topics } = await inTransaction(app, async (tx) => {
    const now = await standing(tx, workerId, said, hash, true);
    if ("answer" in now) return { answer: now.answer, topics: [] };
    await storeOutput(tx, { jobId: said.jobId, fence: Number(said.fence) }, said.output);
    const told = await body(tx, now.job);
    await tx
      .updateTable("attempts")
      .set({ report_hash: hash })
      .where("job_id", "=", said.jobId)
      .where("fence", "=", Number(said.fence))
      .execute();
    return { answer: ACCEPTED, topics: told };
  });
  if (topics.length > 0) await app.events.publish(app.db, ...topics);
  return answer;
}

/** How the job ends by this report; null where it does not, because it was a fault of ours or says nothing that counts. */
export function endingOf(kind: JobKind, said: JobReport): Ending | null {
  const outcome = outcomeRow(said.outcome);
  if (outcome === null || outcome.kind === "infra_fault") return null;
  const result = parsed(kind, said.resultJson);
  if (result === undefined) return null;
  // Who was cancelled by us is not running any more. Of itself a worker may end a match whose own time was over, no other.
  if (outcome.kind === "cancelled" && !isTimedOut(result)) return null;
  return { outcome, result, replayBlob: null };
}

const isTimedOut = (result: unknown): boolean =>
  typeof result === "object" && result !== null && "timedOut" in result && result.timedOut === true;

function faultOf(kind: JobKind, { outcome, resultJson }: JobReport): OutcomeRow {
  const row = outcomeRow(outcome);
  if (row?.kind === "infra_fault") return row;
  if (row === null) return { kind: "infra_fault", fault: "invalid_report", detail: "the worker named no outcome" };
  if (parsed(kind, resultJson) === undefined)
    return { kind: "infra_fault", fault: "invalid_report", detail: "the worker's result is not what the kind wants" };
  return { kind: "infra_fault", fault: "worker_cancelled", detail: "the worker stopped it, though nobody had asked" };
}

/** undefined where it is no JSON, or not what the kind wants. */
function parsed(kind: JobKind, text: string): unknown {
  let json: unknown;
  try {
    json = parseStorable(text);
  } catch {
    return undefined;
  }
  const result = kind.result.safeParse(json);
  return result.success ? result.data : undefined;
}

const KINDS: Readonly<Partial<Record<OutcomeKind, OutcomeRow["kind"]>>> = {
  [OutcomeKind.COMPLETED]: "completed",
  [OutcomeKind.AGENT_FAULT]: "agent_fault",
  [OutcomeKind.INFRA_FAULT]: "infra_fault",
  [OutcomeKind.CANCELLED]: "cancelled",
};
const MOST_DETAIL = 2000;

function outcomeRow(outcome: Outcome | undefined): OutcomeRow | null {
  const kind = outcome === undefined ? undefined : KINDS[outcome.kind];
  if (outcome === undefined || kind === undefined) return null;
  const text = (value: string): string => storableText(value.slice(0, MOST_DETAIL));
  return {
    kind,
    ...(outcome.seats.length > 0 && { seats: outcome.seats }),
    ...(outcome.fault !== "" && { fault: text(outcome.fault) }),
    ...(outcome.detail !== "" && { detail: text(outcome.detail) }),
  };
}
