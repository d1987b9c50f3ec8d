/**
 * Recomputes everything on a ladder that follows from its log, and compares: each logged match's invariants, the live
 * ratings and counts, head to head, the finals' table. Reads one snapshot of the database, so that it may run while
 * matches are played.
 */
import { type Selectable, sql } from "kysely";
import type { Db, Tx } from "../db/database.ts";
import type { LadderAgentsTable } from "../db/types.ts";
import { computeFinals } from "./finals.ts";
import { readLog } from "./log-reader.ts";
import { pairsOf } from "./pair-tally.ts";
import { type AgentRating, brokenInvariant, fold, NEWCOMER } from "./rating.ts";

/** Ratings are doubles from the same code; another version of Node may differ in the last bits of an exponential. */
const TOLERANCE = 1e-9;
const MOST_DIFFERENCES = 100;

export interface LadderVerdict {
  readonly equal: boolean;
  readonly matches: number;
  readonly agents: number;
  /** Sentences; at most 100. */
  readonly differences: readonly string[];
}

class Differences {
  readonly shown: string[] = [];
  count = 0;

  add(text: string): void {
    this.count++;
    if (this.shown.length < MOST_DIFFERENCES) this.shown.push(text);
  }

  compare(what: string, is: number | null, should: number | null): void {
    const close =
      is === null || should === null
        ? is === should
        : Math.abs(is - should) <= TOLERANCE * Math.max(1, Math.abs(should));
    if (!close) this.add(`${what} is ${is}, and by the log ${should}`);
  }
}

interface Tally {
  aWins: number;
  draws: number;
  bWins: number;
}

/** Throws where there is no such ladder. */
export async function verifyLadder(db: Db, ladderId: string): Promise<LadderVerdict> {
  return await db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute((tx) => verify(tx, ladderId));
}

async function verify(tx: Tx, ladderId: string): Promise<LadderVerdict> {
  const ladder = await tx.selectFrom("ladders").selectAll().where("id", "=", ladderId).executeTakeFirstOrThrow();
  const differences = new Differences();
  const ratings = new Map<string, AgentRating>();
  const meetings = new Map<string, Tally>();
  let matches = 0;
  for await (const { number, kind, seats } of readLog(tx, ladderId, 0, Number.MAX_SAFE_INTEGER)) {
    matches++;
    if (number !== matches) differences.add(`match ${matches} of the log has the number ${number}`);
    const broken = brokenInvariant(seats);
    if (broken !== null) {
      differences.add(`match ${number}: ${broken}`);
      continue;
    }
    if (kind === "ladder") fold(ratings, seats);
    for (const { a, b, winner } of pairsOf(seats)) {
      const tally = meetings.get(`${a} ${b}`) ?? { aWins: 0, draws: 0, bWins: 0 };
      meetings.set(`${a} ${b}`, tally);
      if (winner === "a") tally.aWins++;
      else if (winner === "b") tally.bWins++;
      else tally.draws++;
    }
  }
  if (matches !== ladder.log_length)
    differences.add(`the log has ${matches} matches, and the ladder says ${ladder.log_length}`);
  const rows = await tx.selectFrom("ladder_agents").selectAll().where("ladder_id", "=", ladderId).execute();
  compareRatings(rows, ratings, differences);
  differences.compare("the number of active agents", ladder.agents, rows.filter(({ active }) => active).length);
  await compareMatches(tx, ladderId, differences);
  await compareMeetings(tx, ladderId, meetings, differences);
  if (ladder.state === "finished" && ladder.finals_from !== null)
    await compareFinals(tx, ladderId, ladder.finals_from, ladder.log_length, differences);
  return { equal: differences.count === 0, matches, agents: rows.length, differences: differences.shown };
}

/** What is in the log was somebody's to win or lose, and nothing that was is missing. */
async function compareMatches(tx: Tx, ladderId: string, differences: Differences): Promise<void> {
  const wrong = await sql<{ number: number; kind: string | null }>`
    SELECT l.number, m.outcome ->> 'kind' AS kind FROM match_log l JOIN matches m ON m.id = l.match_id
    WHERE l.ladder_id = ${ladderId} AND (m.outcome ->> 'kind' IN ('completed', 'agent_fault')) IS NOT TRUE
    LIMIT ${MOST_DIFFERENCES}`.execute(tx);
  for (const { number, kind } of wrong.rows) differences.add(`match ${number} of the log ended as ${kind}`);
  const missing = await sql<{ id: string }>`
    SELECT m.id FROM matches m LEFT JOIN match_log l ON l.match_id = m.id
    WHERE m.ladder_id = ${ladderId} AND m.rated AND m.state = 'ended' AND l.match_id IS NULL
      AND m.outcome ->> 'kind' IN ('completed', 'agent_fault')
    LIMIT ${MOST_DIFFERENCES}`.execute(tx);
  for (const { id } of missing.rows) differences.add(`match ${id} was rated, and is not in the log`);
}

function compareRatings(
  rows: readonly Selectable<LadderAgentsTable>[],
  ratings: Map<string, AgentRating>,
  differences: Differences,
): void {
  for (const row of rows) {
    const should = ratings.get(row.agent_id) ?? NEWCOMER;
    ratings.delete(row.agent_id);
    for (const key of ["mu", "sigma", "matches", "wins", "draws", "losses", "faults"] as const)
      differences.compare(`${key} of agent ${row.agent_id}`, row[key], should[key]);
    if ((row.rated_version_id ?? "") !== should.version)
      differences.add(`the rated version of agent ${row.agent_id} is not the log's last`);
  }
  for (const agent of ratings.keys()) differences.add(`agent ${agent} is in the log, and not on the ladder`);
}

async function compareMeetings(
  tx: Tx,
  ladderId: string,
  meetings: Map<string, Tally>,
  differences: Differences,
): Promise<void> {
  const rows = await tx.selectFrom("head_to_head").selectAll().where("ladder_id", "=", ladderId).execute();
  for (const row of rows) {
    const key = `${row.agent_a} ${row.agent_b}`;
    const should = meetings.get(key) ?? { aWins: 0, draws: 0, bWins: 0 };
    meetings.delete(key);
    differences.compare(`wins of ${row.agent_a} over ${row.agent_b}`, row.a_wins, should.aWins);
    differences.compare(`wins of ${row.agent_b} over ${row.agent_a}`, row.b_wins, should.bWins);
    differences.compare(`draws of ${row.agent_a} and ${row.agent_b}`, row.draws, should.draws);
  }
  for (const key of meetings.keys()) differences.add(`the head to head of ${key.replace(" ", " and ")} is missing`);
}

async function compareFinals(
  tx: Tx,
  ladderId: string,
  from: number,
  to: number,
  differences: Differences,
): Promise<void> {
  const { rows: table } = await computeFinals(tx, ladderId, from, to);
  const rows = await tx
    .selectFrom("ladder_agents")
    .select(["agent_id", "final_elo", "final_low", "final_high"])
    .where("ladder_id", "=", ladderId)
    .execute();
  for (const row of rows) {
    const should = table.get(row.agent_id);
    differences.compare(`the final strength of agent ${row.agent_id}`, row.final_elo, should?.elo ?? null);
    differences.compare(`its interval's lower end`, row.final_low, should?.low ?? null);
    differences.compare(`its interval's upper end`, row.final_high, should?.high ?? null);
  }
}
