/**
 * The end of a rated match, in the transaction that ends its job: what an agent could win or lose goes into the log, and
 * from there into the live ratings; a fault of ours and a cancel never do.
 *
 * A ladder's matches are logged one at a time, under the ladder's row: numbers have no gaps, and each rating is read after
 * the match before it has written it. Locks are taken in the order job, match, ladder, agents by id, here and everywhere.
 */
import { type Selectable, sql } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { LoggedSeat, MatchesTable } from "../db/types.ts";
import type { JobEnd } from "../jobs/kinds.ts";
import type { MatchJobResult } from "../jobs/payloads.ts";
import { blameDawdlers } from "./blame-dawdlers.ts";
import { pairsOf } from "./pair-tally.ts";
import { type AgentRating, afterMatch, brokenInvariant } from "./rating.ts";
import { ladderRules } from "./rules.ts";
import { MATCHMAKER_TOPIC } from "./topic.ts";
import { urgencyOf } from "./urgency.ts";

export type MatchRow = Selectable<MatchesTable>;

/** Seconds without a match after a fault of ours; twice as many after each that follows, an hour at most. */
const HOLD_SECONDS = 10;
const MAX_HOLD_SECONDS = 3600;

/** Of a rated match only. Its rows in `matches` and `match_seats` are written before. */
export async function recordMatch(app: App, tx: Tx, match: MatchRow, end: JobEnd<MatchJobResult>): Promise<void> {
  if (!match.rated || match.ladder_id === null) return;
  const { ladder_id: ladderId } = match;
  await blameDawdlers(app, tx, match, end);
  const seats = await logged(app, tx, match.id, end);
  if (seats === null) await holdBack(tx, match, end);
  else await log(tx, ladderId, match, seats);
  await app.events.publish(tx, `ladder:${ladderId}`, MATCHMAKER_TOPIC);
}

/** What goes into the log, or null where nothing may. */
async function logged(
  app: App,
  tx: Tx,
  matchId: string,
  { result }: JobEnd<MatchJobResult>,
): Promise<LoggedSeat[] | null> {
  const match = await tx
    .selectFrom("matches")
    .select(["id", "outcome"])
    .where("id", "=", matchId)
    .executeTakeFirstOrThrow();
  const kind = match.outcome?.kind;
  if (kind !== "completed" && kind !== "agent_fault") return null;
  const rows = await tx
    .selectFrom("match_seats")
    .select(["seat", "agent_id", "version_id", "rank", "score", "fault"])
    .where("match_id", "=", match.id)
    .orderBy("seat")
    .execute();
  const seats = rows.map(
    ({ agent_id, version_id, rank, score, fault }): LoggedSeat => ({
      agent: agent_id ?? "",
      version: version_id ?? "",
      rank: rank ?? 0,
      score: score ?? Number.NaN,
      fault,
    }),
  );
  const broken =
    result?.seats.length !== seats.length
      ? "the report has another number of seats"
      : kind === "agent_fault" && seats.every(({ fault }) => fault === "")
        ? "the report blames nobody who played"
        : brokenInvariant(seats);
  if (broken === null) return seats;
  // A worker that reports nonsense is a fault of ours: nobody's rating hears of it.
  app.log.error({ match: match.id, broken }, "a match's report breaks an invariant: it is not rated");
  const detail = `the worker's report was not that of a match: ${broken}`;
  await tx
    .updateTable("matches")
    .set({ outcome: JSON.stringify({ kind: "infra_fault", detail }) })
    .where("id", "=", match.id)
    .execute();
  await tx.updateTable("match_seats").set({ rank: null, score: null }).where("match_id", "=", match.id).execute();
  return null;
}

async function log(tx: Tx, ladderId: string, match: MatchRow, seats: readonly LoggedSeat[]): Promise<void> {
  const kind = match.reason === "finals" ? "finals" : "ladder";
  // A match that outlived its ladder's opening hours, or its game, is played, but not rated.
  const ladder = await tx
    .updateTable("ladders")
    .set({
      log_length: sql<number>`log_length + 1`,
      // A match of finals that are over was set aside and came back: the table is made anew.
      ...(kind === "finals" ? { state: "finals" as const } : {}),
    })
    .where("id", "=", ladderId)
    .where("state", "in", kind === "finals" ? ["finals", "finished"] : ["open"])
    .where(
      sql<boolean>`rules ->> 'env' = ${match.env} AND rules -> 'options' = ${JSON.stringify(match.options)}::jsonb
        AND rules #>> '{environment,files}' IS NOT DISTINCT FROM ${match.env_files}::text`,
    )
    .returning(["log_length", "rules"])
    .executeTakeFirst();
  if (ladder === undefined) {
    await tx.updateTable("matches").set({ rated: false }).where("id", "=", match.id).execute();
    return;
  }
  await tx
    .insertInto("match_log")
    .values({
      ladder_id: ladderId,
      number: ladder.log_length,
      match_id: match.id,
      kind,
      seats: JSON.stringify(seats),
    })
    .execute();
  if (kind === "ladder") await rate(tx, ladderId, match, seats, ladderRules(ladder).placementMatches);
  await countMeetings(tx, ladderId, seats);
}

async function rate(
  tx: Tx,
  ladderId: string,
  match: MatchRow,
  seats: readonly LoggedSeat[],
  placementMatches: number,
): Promise<void> {
  const rows = await tx
    .selectFrom("ladder_agents")
    .select([
      "agent_id",
      "version_id",
      "rated_version_id",
      "mu",
      "sigma",
      "matches",
      "wins",
      "draws",
      "losses",
      "faults",
    ])
    .where("ladder_id", "=", ladderId)
    .where(
      "agent_id",
      "in",
      seats.map((seat) => seat.agent),
    )
    .orderBy("agent_id")
    .forUpdate()
    .execute();
  const known = seats.map((seat) => rows.find((row) => row.agent_id === seat.agent)!);
  const before = known.map((row): AgentRating => ({ ...row, version: row.rated_version_id ?? "" }));
  const after = afterMatch(before, seats);
  for (const [seat, { version, ...rating }] of after.entries()) {
    const { agent_id, version_id } = known[seat]!;
    await tx
      .updateTable("ladder_agents")
      .set({
        ...rating,
        rated_version_id: version,
        urgency: urgencyOf({ ...rating, version }, version_id, placementMatches),
        last_match_at: sql<Date>`now()`,
        day: sql<Date>`(now() AT TIME ZONE 'UTC')::date`,
        day_matches: sql<number>`CASE WHEN day = (now() AT TIME ZONE 'UTC')::date THEN day_matches + 1 ELSE 1 END`,
        infra_streak: 0,
        held_until: null,
      })
      .where("ladder_id", "=", ladderId)
      .where("agent_id", "=", agent_id)
      .execute();
    await tx
      .updateTable("match_seats")
      .set({ mu_before: before[seat]!.mu, mu_after: rating.mu })
      .where("match_id", "=", match.id)
      .where("seat", "=", seat)
      .execute();
  }
}

async function countMeetings(tx: Tx, ladderId: string, seats: readonly LoggedSeat[]): Promise<void> {
  const pairs = pairsOf(seats).map(({ a, b, winner }) => ({
    ladder_id: ladderId,
    agent_a: a,
    agent_b: b,
    a_wins: winner === "a" ? 1 : 0,
    draws: winner === "draw" ? 1 : 0,
    b_wins: winner === "b" ? 1 : 0,
    last_at: sql<Date>`now()`,
  }));
  await tx
    .insertInto("head_to_head")
    .values(pairs)
    .onConflict((conflict) =>
      conflict.columns(["ladder_id", "agent_a", "agent_b"]).doUpdateSet({
        a_wins: sql<number>`head_to_head.a_wins + excluded.a_wins`,
        draws: sql<number>`head_to_head.draws + excluded.draws`,
        b_wins: sql<number>`head_to_head.b_wins + excluded.b_wins`,
        last_at: sql<Date>`excluded.last_at`,
      }),
    )
    .execute();
}

/**
 * After a fault of ours the agents wait a little before they are matched again, longer each time: a broken worker, or an
 * agent that knows how to break its box, shall not keep the ladder busy. Where every attempt failed in one seat's box, only
 * that agent waits. It costs nobody a match of his day.
 */
async function holdBack(tx: Tx, match: MatchRow, { outcome, result }: JobEnd<MatchJobResult>): Promise<void> {
  if (outcome.kind === "cancelled" && result?.timedOut !== true) return;
  const named = outcome.kind === "infra_fault" ? (outcome.seats ?? []) : [];
  let seats = tx.selectFrom("match_seats").select("agent_id").where("match_id", "=", match.id);
  if (named.length > 0) seats = seats.where("seat", "in", named);
  const agents = (await seats.execute()).flatMap(({ agent_id }) => (agent_id === null ? [] : [agent_id])).sort();
  for (const agent of agents)
    await tx
      .updateTable("ladder_agents")
      .set({
        infra_streak: sql<number>`infra_streak + 1`,
        held_until: sql<Date>`now() + make_interval(secs => least(${MAX_HOLD_SECONDS}, ${HOLD_SECONDS} * 2 ^ least(infra_streak, 20)))`,
      })
      .where("ladder_id", "=", match.ladder_id)
      .where("agent_id", "=", agent)
      .execute();
}
