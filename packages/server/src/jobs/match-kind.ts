/**
 * The kind `match`: what a worker reported becomes the match's rows, in the transaction that ends the job. Scores and ranks
 * stand only after `completed` and `agent_fault`; a match that a fault of ours ended, or that was cancelled, has none.
 */
import { type Selectable, sql } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { MatchesTable, OutcomeRow } from "../db/types.ts";
import { recordMatch } from "../ladder/record.ts";
import { MATCHMAKER_TOPIC } from "../ladder/topic.ts";
import type { JobEnd, JobKind, JobRow } from "./kinds.ts";
import { type MatchJobResult, type MatchPayload, matchPayload, matchResult } from "./payloads.ts";

export const matchKind: JobKind<MatchPayload, MatchJobResult> = {
  name: "match",
  payload: matchPayload,
  result: matchResult,
  bundles: ({ seats, environment }) => [
    ...seats.flatMap(({ bundle }) => (bundle === undefined ? [] : [bundle])),
    ...(environment === undefined ? [] : [environment.bundle]),
  ],

  async started(app, tx, job) {
    await setState(app, tx, job, "running");
  },

  async ended(app, tx, job, end) {
    const match = await tx
      .selectFrom("matches")
      .selectAll()
      .where("job_id", "=", job.id)
      .forUpdate()
      .executeTakeFirst();
    // One without a match was queued by hand, for measuring.
    if (match === undefined) return;
    await writeMatch(tx, match, end);
    await writeSeats(tx, match, end);
    await recordMatch(app, tx, match, end);
    await app.events.publish(tx, `match:${match.id}`);
  },

  /** Without seats, replay or rating: the match is over, and leaves its place on the ladder to the next. */
  async closed(app, tx, job, { outcome, dead }) {
    const row = await tx
      .updateTable("matches")
      .set({ state: dead ? "dead" : "ended", outcome: JSON.stringify(outcome), ended_at: sql<Date>`now()` })
      .where("job_id", "=", job.id)
      .returning("id")
      .executeTakeFirst();
    if (row !== undefined) await app.events.publish(tx, `match:${row.id}`, MATCHMAKER_TOPIC);
  },

  async revived(app, tx, job) {
    await setState(app, tx, job, "waiting");
  },
};

/** Whether the seats have scores and ranks. */
export const hasScores = ({ kind }: OutcomeRow): boolean => kind === "completed" || kind === "agent_fault";

async function setState(app: App, tx: Tx, job: JobRow, state: "waiting" | "running"): Promise<void> {
  const row = await tx
    .updateTable("matches")
    .set({ state, outcome: null, ended_at: null })
    .where("job_id", "=", job.id)
    .returning("id")
    .executeTakeFirst();
  if (row !== undefined) await app.events.publish(tx, `match:${row.id}`);
}

async function writeMatch(tx: Tx, match: Selectable<MatchesTable>, end: JobEnd<MatchJobResult>): Promise<void> {
  const { result } = end;
  const asked = await tx
    .selectFrom("executor_matches")
    .select("record_replay")
    .where("match_id", "=", match.id)
    .executeTakeFirst();
  await tx
    .updateTable("matches")
    .set({
      state: end.dead ? "dead" : "ended",
      outcome: JSON.stringify(end.outcome),
      ended_at: sql<Date>`now()`,
      episodes: result?.episodes ?? 0,
      steps: result?.steps ?? 0,
      replay_hash: result?.replayHash ?? "",
      replay_blob: asked?.record_replay === false ? null : end.replayBlob,
    })
    .where("id", "=", match.id)
    .execute();
}

async function writeSeats(tx: Tx, match: Selectable<MatchesTable>, end: JobEnd<MatchJobResult>): Promise<void> {
  const scored = hasScores(end.outcome);
  for (const [seat, result] of (end.result?.seats ?? []).entries())
    await tx
      .updateTable("match_seats")
      .set({
        score: scored ? result.score : null,
        rank: scored ? result.rank : null,
        faults: result.faults,
        fault: faultOf(end, seat),
      })
      .where("match_id", "=", match.id)
      .where("seat", "=", seat)
      .execute();
}

/** What a guilty seat forfeited by; empty for the others, however often they were corrected. */
export function faultOf({ outcome, result }: Pick<JobEnd<MatchJobResult>, "outcome" | "result">, seat: number): string {
  if (outcome.kind !== "agent_fault" || !(outcome.seats ?? []).includes(seat)) return "";
  const own = Object.keys(result?.seats[seat]?.faultKinds ?? {});
  const named = outcome.fault ?? "";
  return own.length === 0 || own.includes(named) ? named : own[0]!;
}
