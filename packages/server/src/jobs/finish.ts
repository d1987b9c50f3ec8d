/**
 * How an attempt and a job end: the only place that does it, whoever found out (a report, the sweep, a cancel). Each takes
 * a job whose row the transaction has locked, and gives the topics to tell of.
 *
 *   waiting ──claim──> running ──endJob──> ended
 *      ^                  │ failAttempt
 *      └──backoff─────────┴──after the last──> dead ──revive──> waiting
 */
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Db, Tx } from "../db/database.ts";
import type { OutcomeRow } from "../db/types.ts";
import { traceJob } from "../ops/tracing.ts";
import {
  BACKOFF_SECONDS,
  ENVIRONMENT_AT_FAULT,
  MOST_ATTEMPTS,
  MOST_BACKOFF_SECONDS,
  RETRY_WAIT_SECONDS,
  WORKER_STOPPED,
} from "./bounds.ts";
import type { JobKind, JobRow } from "./kinds.ts";
import { knownKind } from "./known-kind.ts";
import { logDead, logEnded, logFailed } from "./log.ts";
import { isPassing } from "./transaction.ts";

export interface Ending {
  readonly outcome: OutcomeRow;
  /** Parsed by the kind's schema; null where there is none. */
  readonly result: unknown;
  readonly replayBlob: string | null;
}

const released = { worker_id: null, lease_until: null, attempt_until: null, held: false };

/** The job has ended for good. What its kind throws undoes the transaction. */
export async function endJob(app: App, tx: Tx, job: JobRow, ending: Ending): Promise<string[]> {
  const topics = await endJobs(app, tx, [{ job, ending, reportHash: null }]);
  return [...topics, ...(await roomLeft(tx, [job]))];
}

export interface Ended {
  /** As it was, locked. */
  readonly job: JobRow;
  readonly ending: Ending;
  /** Of the report that ended it; null where none did. */
  readonly reportHash: Buffer | null;
}

/** The same of several at once, which costs little more than of one, but for roomLeft. Their kinds are told in the order given. */
export async function endJobs(app: App, tx: Tx, list: readonly Ended[]): Promise<string[]> {
  const text = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
  const { rows } = await sql<JobRow>`
    WITH said AS (
      SELECT * FROM unnest(${list.map(({ job }) => job.id)}::uuid[],
        ${list.map(({ ending }) => text(ending.outcome))}::jsonb[], ${list.map(({ ending }) => text(ending.result))}::jsonb[],
        ${list.map(({ reportHash }) => reportHash)}::bytea[]) AS said (id, outcome, result, report_hash)),
    closed AS (
      UPDATE attempts a SET ended_at = now(), outcome = said.outcome, report_hash = said.report_hash
      FROM said JOIN jobs j ON j.id = said.id
      WHERE j.state = 'running' AND a.job_id = j.id AND a.number = j.attempt AND a.ended_at IS NULL)
    UPDATE jobs SET state = 'ended', outcome = said.outcome, result = said.result, ended_at = now(),
      fence = fence + (said.outcome->>'kind' = 'cancelled')::int,
      worker_id = NULL, lease_until = NULL, attempt_until = NULL, held = false
    FROM said WHERE jobs.id = said.id RETURNING jobs.*`.execute(tx);
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const { job, ending } of list) {
    const ended = byId.get(job.id);
    if (ended === undefined) throw new Error(`the job ${job.id} is gone`);
    const { outcome } = ending;
    await knownKind(app, job.kind).ended(app, tx, ended, { ...ending, dead: false });
    const began = job.state === "running" ? job.started_at : null;
    traceJob(ended, outcome.kind);
    const seconds = began && (ended.ended_at!.getTime() - began.getTime()) / 1000;
    app.metrics.jobs.ended(job.kind, outcome.kind, seconds);
    logEnded(app, ended, outcome, seconds);
  }
  return list.flatMap(({ job, ending }) => watchers(job, ending.outcome.kind === "cancelled"));
}

/** The same of a fault of ours or a cancel: it ends even if its kind cannot take it, since otherwise it would never. */
export async function endWithoutFail(app: App, tx: Tx, job: JobRow, outcome: OutcomeRow): Promise<string[]> {
  return await despiteKind(app, tx, job, (lame) => endJob(lame, tx, job, { outcome, result: null, replayBlob: null }));
}

/** The attempt ended in a fault of ours: once more after a pause, or never, as where its environment is to be mended first. */
export async function failAttempt(app: App, tx: Tx, job: JobRow, outcome: OutcomeRow): Promise<string[]> {
  await closeAttempt(tx, job, outcome);
  app.metrics.jobs.attemptFailed(job.kind);
  logFailed(app, job, outcome);
  const stopped = outcome.fault === WORKER_STOPPED && job.max_attempts < MOST_ATTEMPTS;
  const hopeless = outcome.fault === ENVIRONMENT_AT_FAULT;
  if (hopeless || (job.attempt >= job.max_attempts && !stopped)) return await bury(app, tx, job, outcome);
  const waiting = await tx
    .updateTable("jobs")
    .set({
      ...released,
      state: "waiting",
      held: !stopped,
      not_before: sql<Date>`now() + make_interval(secs => ${stopped ? 0 : backoffSeconds(job.attempt)})`,
      max_attempts: job.max_attempts + (stopped ? 1 : 0),
      // It was not left waiting: whoever took it late is no reason against another attempt.
      wait_until: sql<Date>`greatest(wait_until, now() + make_interval(secs => ${RETRY_WAIT_SECONDS}))`,
    })
    .where("id", "=", job.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return await despiteKind(app, tx, job, async (lame) => {
    await knownKind(lame, job.kind).revived?.(lame, tx, waiting);
    return [...(await changed(tx, job, true)), ...(stopped ? [`queue:${job.queue}`] : [])];
  });
}

/** Doubling, drawn between half and the whole, so that what failed together is not tried again together. */
export function backoffSeconds(attempt: number, chance: number = Math.random()): number {
  return Math.min(MOST_BACKOFF_SECONDS, BACKOFF_SECONDS * 2 ** (attempt - 1)) * (0.5 + chance / 2);
}

async function bury(app: App, tx: Tx, job: JobRow, last: OutcomeRow): Promise<string[]> {
  const outcome = last.fault === ENVIRONMENT_AT_FAULT ? withoutSeats(last) : await buriedOutcome(tx, job, last);
  const dead = await tx
    .updateTable("jobs")
    .set({ ...released, state: "dead", outcome: JSON.stringify(outcome), ended_at: sql<Date>`now()` })
    .where("id", "=", job.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  traceJob(dead, "dead");
  app.metrics.jobs.ended(job.kind, "dead", null);
  logDead(app, dead, outcome);
  return await despiteKind(app, tx, job, async (lame) => {
    await knownKind(lame, job.kind).ended(lame, tx, dead, { outcome, result: null, replayBlob: null, dead: true });
    return await changed(tx, job, true);
  });
}

/** Nobody who played is to blame. */
function withoutSeats({ kind, fault = "", detail = "" }: OutcomeRow): OutcomeRow {
  return { kind, fault, detail };
}

async function buriedOutcome(tx: Tx, job: JobRow, last: OutcomeRow): Promise<OutcomeRow> {
  const seat = await followedSeat(tx, job);
  return {
    kind: "infra_fault",
    ...(seat === null ? {} : { seats: [seat] }),
    ...(last.fault === undefined ? {} : { fault: last.fault }),
    detail:
      seat === null
        ? `every attempt (${job.attempt}) ended in a fault of ours; the last: ${last.detail ?? last.fault ?? "unknown"}`
        : `every attempt (${job.attempt}) ended in a fault of ours in the box of seat ${seat}: somebody has to look at it; the last: ${last.detail ?? last.fault ?? "unknown"}`,
  };
}

/** The one seat in whose box every attempt failed; null where there is no such seat. */
async function followedSeat(tx: Tx, job: JobRow): Promise<number | null> {
  const attempts = await tx.selectFrom("attempts").select("outcome").where("job_id", "=", job.id).execute();
  const faults = attempts.flatMap(({ outcome }) =>
    outcome === null || outcome.fault === WORKER_STOPPED ? [] : outcome,
  );
  const seats = new Set(faults.map(({ seats }) => (seats?.length === 1 ? seats[0]! : -1)));
  const [seat = -1] = seats;
  return seats.size === 1 && seat >= 0 ? seat : null;
}

async function closeAttempt(tx: Tx, job: JobRow, outcome: OutcomeRow): Promise<void> {
  if (job.state !== "running") return;
  await tx
    .updateTable("attempts")
    .set({ ended_at: sql<Date>`now()`, outcome: JSON.stringify(outcome) })
    .where("job_id", "=", job.id)
    .where("number", "=", job.attempt)
    .where("ended_at", "is", null)
    .execute();
}

/**
 * Runs `body`; if the job's kind makes it fail, runs it again with a kind that writes the least (`closed`), and then with one
 * that does nothing, and says so in the log: a job whose end cannot be told stays nobody's for ever otherwise. What the database
 * refuses for the moment is thrown.
 */
async function despiteKind(app: App, tx: Tx, job: JobRow, body: (app: App) => Promise<string[]>): Promise<string[]> {
  const kind = knownKind(app, job.kind);
  const nothing = () => Promise.resolve();
  const brief: JobKind = { ...kind, ended: kind.closed?.bind(kind) ?? nothing, revived: nothing };
  const deaf: JobKind = { ...kind, ended: nothing, revived: nothing };
  for (const told of [kind, brief]) {
    await sql`SAVEPOINT ended`.execute(tx);
    try {
      const topics = await body(withKind(app, told));
      await sql`RELEASE SAVEPOINT ended`.execute(tx);
      return topics;
    } catch (error) {
      if (isPassing(error)) throw error;
      app.log.error({ err: error, jobId: job.id, kind: job.kind }, "a job's end could not be told to its kind");
      await sql`ROLLBACK TO SAVEPOINT ended`.execute(tx);
    }
  }
  return await body(withKind(app, deaf));
}

const withKind = (app: App, kind: JobKind): App => ({ ...app, kinds: new Map([[kind.name, kind]]) });

/** Who is to hear of it: who watches the job, its worker, where that does not know, and who waits for the room it left. */
async function changed(tx: Tx, job: JobRow, tellWorker: boolean): Promise<string[]> {
  return [...watchers(job, tellWorker), ...(await roomLeft(tx, [job]))];
}

function watchers(job: JobRow, tellWorker: boolean): string[] {
  const worker = tellWorker && job.state === "running" && job.worker_id !== null ? [`worker:${job.worker_id}`] : [];
  return [`job:${job.id}`, ...worker];
}

/** The queues of those that ran within a bound, which the next one may pass now. */
export async function roomLeft(tx: Db | Tx, jobs: readonly JobRow[]): Promise<string[]> {
  const ran = jobs.filter(({ state }) => state === "running");
  if (ran.length === 0) return [];
  const { rows } = await sql<{ queue: string }>`
    SELECT DISTINCT ran.queue
    FROM unnest(${ran.map(({ queue }) => queue)}::text[], ${ran.map(({ space_id }) => space_id)}::uuid[]) AS ran (queue, space)
    JOIN queues q ON q.name = ran.queue LEFT JOIN spaces s ON s.id = ran.space
    WHERE q.max_running > 0 OR s.max_running > 0 OR s.max_running_per_participant > 0`.execute(tx);
  return rows.map(({ queue }) => `queue:${queue}`);
}
