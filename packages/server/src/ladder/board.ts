/**
 * Pages of a leaderboard. Each is read from an index by the key of the row before it, so that the last page of ten thousand
 * agents costs what the first does. After finals those who took part come first, by the final table.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { LanistaError } from "@lanista/api/errors";
import type { LeaderboardRowSchema } from "@lanista/api/gen/lanista/v1/ladders_pb";
import { type RawBuilder, sql } from "kysely";
import { validate as isUuid } from "uuid";
import type { Db } from "../db/database.ts";
import type { PageWanted } from "../rpc/paging.ts";

/** By the final table, then by rating; a ladder without finals has but the second. */
type Section = "finals" | "rating";

/** Of the last row shown. */
interface Place {
  readonly section: Section;
  readonly value: number;
  readonly agent: string;
  /** Rows up to it, and its rank: equals share the better one. */
  readonly count: number;
  readonly rank: number;
}

export const BOARD_KEYS = 5;

export interface BoardRow {
  readonly agent_id: string;
  readonly agent_name: string;
  readonly owner_name: string;
  readonly version_number: number;
  readonly provisional: boolean;
  readonly mu: number;
  readonly sigma: number;
  readonly rating: number;
  readonly matches: number;
  readonly wins: number;
  readonly draws: number;
  readonly losses: number;
  readonly faults: number;
  readonly final_elo: number | null;
  readonly final_low: number | null;
  readonly final_high: number | null;
}

export interface RankedRow extends BoardRow {
  readonly rank: number;
  readonly place: Place;
}

export interface BoardQuery {
  readonly ladderId: string;
  /** Whether the finals' table stands. */
  readonly finished: boolean;
  readonly placementMatches: number;
}

/** A page's rows, one more than asked for where there are more. Throws LanistaError `invalid` on a token of another list. */
export async function boardPage(db: Db, query: BoardQuery, wanted: PageWanted): Promise<RankedRow[]> {
  let last = placeOf(wanted);
  const rows: RankedRow[] = [];
  const sections: readonly Section[] = query.finished ? ["finals", "rating"] : ["rating"];
  for (const section of sections) {
    if (section === "finals" && last?.section === "rating") continue;
    const found = await sectionRows(db, query, section, last, wanted.size + 1 - rows.length);
    for (const row of found) {
      const value = section === "finals" ? row.final_elo! : row.rating;
      const count: number = (last?.count ?? 0) + 1;
      const rank: number = last?.section === section && last.value === value ? last.rank : count;
      last = { section, value, agent: row.agent_id, count, rank };
      rows.push({ ...row, rank, place: last });
    }
    if (rows.length > wanted.size) break;
  }
  return rows;
}

export function pageKey({ place }: RankedRow): (string | number)[] {
  return [place.section, place.value, place.agent, place.count, place.rank];
}

function placeOf({ after }: PageWanted): Place | null {
  if (after === null) return null;
  const [section, value, agent, count, rank] = after;
  if (
    (section !== "finals" && section !== "rating") ||
    typeof value !== "number" ||
    !isUuid(agent) ||
    !Number.isSafeInteger(count) ||
    !Number.isSafeInteger(rank)
  )
    throw new LanistaError("invalid", "the page token is none that this list gave", { field: "page.token" });
  return { section, value, agent: String(agent), count: Number(count), rank: Number(rank) };
}

async function sectionRows(
  db: Db,
  query: BoardQuery,
  section: Section,
  last: Place | null,
  limit: number,
): Promise<BoardRow[]> {
  const column = sql.ref(section === "finals" ? "final_elo" : "rating");
  const within =
    section === "finals" ? sql`AND final_elo IS NOT NULL` : query.finished ? sql`AND final_elo IS NULL` : sql``;
  // The first bound is the index's; the second only parts equals.
  const after =
    last?.section === section
      ? sql`AND ${column} <= ${last.value}::float8 AND (${column} < ${last.value}::float8 OR agent_id > ${last.agent}::uuid)`
      : sql``;
  const inner = sql`
    SELECT * FROM ladder_agents WHERE ladder_id = ${query.ladderId} AND active ${within} ${after}
    ORDER BY ${column} DESC, agent_id LIMIT ${limit}`;
  const { rows } = await withNames(inner, query.placementMatches, sql`l.${column} DESC, l.agent_id`).execute(db);
  return rows;
}

function withNames(inner: RawBuilder<unknown>, placementMatches: number, order: RawBuilder<unknown>) {
  // Looked up row by row: a join would be free to read all agents of all spaces for the few that are shown.
  return sql<BoardRow>`
    SELECT l.agent_id, l.mu, l.sigma, l.rating, l.matches, l.wins, l.draws, l.losses, l.faults,
      l.final_elo, l.final_low, l.final_high,
      (SELECT a.name FROM agents a WHERE a.id = l.agent_id) AS agent_name,
      (SELECT u.name FROM agents a JOIN "user" u ON u.id = a.owner_id WHERE a.id = l.agent_id) AS owner_name,
      (SELECT v.number FROM agent_versions v WHERE v.id = l.version_id) AS version_number,
      (l.matches < ${placementMatches} OR l.version_id IS DISTINCT FROM l.rated_version_id) AS provisional
    FROM (${inner}) l
    ORDER BY ${order}`;
}

/** The rows of one person's agents, with the ranks they have among all. */
export async function ownRows(db: Db, query: BoardQuery, userId: string): Promise<(BoardRow & { rank: number })[]> {
  const inner = sql`
    SELECT l.* FROM ladder_agents l JOIN agents own ON own.id = l.agent_id
    WHERE l.ladder_id = ${query.ladderId} AND l.active AND own.owner_id = ${userId}`;
  const { rows } = await withNames(
    inner,
    query.placementMatches,
    query.finished ? sql`l.final_elo DESC NULLS LAST, l.rating DESC, l.agent_id` : sql`l.rating DESC, l.agent_id`,
  ).execute(db);
  const ranked: (BoardRow & { rank: number })[] = [];
  for (const row of rows) ranked.push({ ...row, rank: 1 + (await better(db, query, row)) });
  return ranked;
}

async function better(db: Db, { ladderId, finished }: BoardQuery, row: BoardRow): Promise<number> {
  const above = !finished
    ? sql`rating > ${row.rating}::float8`
    : row.final_elo !== null
      ? sql`final_elo > ${row.final_elo}::float8`
      : sql`(final_elo IS NOT NULL OR rating > ${row.rating}::float8)`;
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM ladder_agents WHERE ladder_id = ${ladderId} AND active AND ${above}`.execute(db);
  return rows[0]!.count;
}

export function rowMessage(row: BoardRow & { readonly rank: number }): MessageInitShape<typeof LeaderboardRowSchema> {
  return {
    rank: row.rank,
    agentId: row.agent_id,
    agentName: row.agent_name,
    ownerName: row.owner_name,
    versionNumber: row.version_number,
    mu: row.mu,
    sigma: row.sigma,
    rating: row.rating,
    matches: row.matches,
    wins: row.wins,
    draws: row.draws,
    losses: row.losses,
    faults: row.faults,
    provisional: row.provisional,
    finalElo: row.final_elo ?? 0,
    finalLow: row.final_low ?? 0,
    finalHigh: row.final_high ?? 0,
  };
}
