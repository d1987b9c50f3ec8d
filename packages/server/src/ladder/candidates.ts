/** Who could play on a ladder now, as far as the matchmaker looks: never more rows than LOOK, whatever the ladder's size and history. */
import { sql } from "kysely";
import type { Tx } from "../db/database.ts";
import type { SeatPlan } from "./make-match.ts";
import { type Candidate, expectedSigmas } from "./matchmaking.ts";
import type { StoredRules } from "./rules.ts";
import { inPlacement, sigmaNow } from "./urgency.ts";

export interface LadderCandidate extends Candidate, SeatPlan {
  readonly owner: string;
}

/** Agents that are weighed for a match: those whose turn it is soonest. */
const LOOK = 128;

/** The agents of each match that waits or runs. */
export async function liveLineups(tx: Tx, ladderId: string): Promise<string[][]> {
  const rows = await tx
    .selectFrom("matches as m")
    .innerJoin("match_seats as s", "s.match_id", "m.id")
    .select(["m.id", "s.agent_id"])
    .where("m.ladder_id", "=", ladderId)
    .where("m.rated", "=", true)
    .where("m.state", "in", ["waiting", "running"])
    .execute();
  const lineups = new Map<string, string[]>();
  for (const { id, agent_id } of rows) {
    const lineup = lineups.get(id) ?? [];
    lineups.set(id, lineup);
    if (agent_id !== null) lineup.push(agent_id);
  }
  return [...lineups.values()];
}

/** `live` counts as if it had ended: it is part of an agent's day, and has taught what it is expected to. */
export async function findCandidates(
  tx: Tx,
  ladderId: string,
  rules: StoredRules,
  live: readonly (readonly string[])[],
): Promise<LadderCandidate[]> {
  const rows = await tx
    .selectFrom("ladder_agents as l")
    .innerJoin("agents as a", "a.id", "l.agent_id")
    .innerJoin("agent_versions as v", "v.id", "l.version_id")
    .select([
      "l.agent_id",
      "l.version_id",
      "l.rated_version_id",
      "l.mu",
      "l.sigma",
      "l.matches",
      "a.name",
      "a.owner_id",
      "v.digest",
      sql<number>`CASE WHEN l.day = (now() AT TIME ZONE 'UTC')::date THEN l.day_matches ELSE 0 END`.as("today"),
    ])
    .where("l.ladder_id", "=", ladderId)
    .where("l.active", "=", true)
    .where((eb) => eb.or([eb("l.held_until", "is", null), eb("l.held_until", "<=", sql<Date>`now()`)]))
    .where(
      sql<boolean>`NOT (l.day IS NOT DISTINCT FROM (now() AT TIME ZONE 'UTC')::date AND l.day_matches >= ${rules.dailyMatches})`,
    )
    .orderBy("l.urgency", "desc")
    .orderBy("l.agent_id")
    .limit(LOOK)
    .execute();
  const pending = (agent: string): number => live.filter((lineup) => lineup.includes(agent)).length;
  const ratings = new Map(
    rows.map((row) => [
      row.agent_id,
      { mu: row.mu, sigma: sigmaNow({ sigma: row.sigma, version: row.rated_version_id ?? "" }, row.version_id) },
    ]),
  );
  for (const lineup of live) {
    const known = lineup.filter((agent) => ratings.has(agent));
    const sigmas = expectedSigmas(known.map((agent) => ratings.get(agent)!));
    for (const [at, agent] of known.entries()) ratings.set(agent, { mu: ratings.get(agent)!.mu, sigma: sigmas[at]! });
  }
  return rows
    .filter((row) => row.today + pending(row.agent_id) < rules.dailyMatches)
    .map((row): LadderCandidate => {
      const { mu, sigma } = ratings.get(row.agent_id)!;
      return {
        agent: row.agent_id,
        owner: row.owner_id,
        mu,
        sigma,
        placement: inPlacement({ matches: row.matches + pending(row.agent_id) }, rules.placementMatches),
        resting: sigma < rules.enoughSigma,
        agentId: row.agent_id,
        versionId: row.version_id,
        name: row.name,
        digest: row.digest,
      };
    });
}

/** As one word for both directions. */
export function pairKey(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}

/** Pairs that met within the cooldown. */
export async function coolingPairs(
  tx: Tx,
  ladderId: string,
  agents: readonly string[],
  seconds: number,
): Promise<Set<string>> {
  if (seconds === 0 || agents.length === 0) return new Set();
  const rows = await tx
    .selectFrom("head_to_head")
    .select(["agent_a", "agent_b"])
    .where("ladder_id", "=", ladderId)
    .where(sql<boolean>`agent_a = ANY(${[...agents]}::uuid[])`)
    .where(sql<boolean>`agent_b = ANY(${[...agents]}::uuid[])`)
    .where("last_at", ">", sql<Date>`now() - make_interval(secs => ${seconds})`)
    .execute();
  return new Set(rows.map(({ agent_a, agent_b }) => pairKey(agent_a, agent_b)));
}

/** Whether somebody but this owner has an active agent on the ladder. */
export async function hasOtherOwner(tx: Tx, ladderId: string, owner: string): Promise<boolean> {
  const other = await tx
    .selectFrom("ladder_agents as l")
    .innerJoin("agents as a", "a.id", "l.agent_id")
    .select("l.agent_id")
    .where("l.ladder_id", "=", ladderId)
    .where("l.active", "=", true)
    .where("a.owner_id", "<>", owner)
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}

/** How often the two met, as far as it was rated. */
export async function meetings(tx: Tx, ladderId: string, one: string, other: string): Promise<number> {
  const [a, b] = one < other ? [one, other] : [other, one];
  const row = await tx
    .selectFrom("head_to_head")
    .select(["a_wins", "draws", "b_wins"])
    .where("ladder_id", "=", ladderId)
    .where("agent_a", "=", a)
    .where("agent_b", "=", b)
    .executeTakeFirst();
  return row === undefined ? 0 : row.a_wins + row.draws + row.b_wins;
}
