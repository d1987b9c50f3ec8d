/**
 * Keeps as many matches of a ladder waiting or running as its rules say. One server at a time looks at a ladder, under
 * an advisory lock; the ladder's row is locked only while matches of its plan are made, so that matches can end meanwhile.
 */
import { randomSeed } from "@lanista/arena/seeds";
import { type Chance, SeededChance } from "@lanista/games/chance";
import { type Selectable, sql } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { LaddersTable } from "../db/types.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { inTransaction } from "../jobs/transaction.ts";
import {
  coolingPairs,
  findCandidates,
  hasOtherOwner,
  type LadderCandidate,
  liveLineups,
  meetings,
  pairKey,
} from "./candidates.ts";
import { makeMatch, type SeatPlan } from "./make-match.ts";
import { nextLineup } from "./matchmaking.ts";
import { lineupAt, type Plan, places, storedPlan } from "./plan.ts";
import { ladderRules, type StoredRules } from "./rules.ts";

type LadderRow = Selectable<LaddersTable>;

export interface Filled {
  /** Matches made. */
  readonly made: number;
  /** The finals' last match has ended: the table is due. */
  readonly finalsOver: boolean;
}

const NOTHING: Filled = { made: 0, finalsOver: false };

export async function fillLadder(app: App, ladderId: string): Promise<Filled> {
  return await inTransaction(app, async (tx) => {
    const { rows } = await sql<{ locked: boolean }>`
      SELECT pg_try_advisory_xact_lock(hashtextextended(${`lanista/ladder/${ladderId}`}, 0)) AS locked`.execute(tx);
    if (rows[0]?.locked !== true) return NOTHING;
    const ladder = await tx.selectFrom("ladders").selectAll().where("id", "=", ladderId).executeTakeFirst();
    if (ladder === undefined) return NOTHING;
    if (ladder.state !== "open") await cancelStrays(app, tx, ladder);
    if (ladder.state !== "open" && ladder.state !== "finals") return NOTHING;
    const rules = ladderRules(ladder);
    const live = await liveLineups(tx, ladderId);
    const room = rules.parallelMatches - live.length;
    if (ladder.plan !== null) return { made: await fromPlan(app, tx, ladder, room), finalsOver: false };
    if (ladder.state === "finals") return { made: 0, finalsOver: live.length === 0 };
    return { made: await byInformation(app, tx, ladder, rules, live, room), finalsOver: false };
  });
}

/** What a ladder that is not open had made before: it would not be rated any more. */
async function cancelStrays(app: App, tx: Tx, ladder: LadderRow): Promise<void> {
  let strays = tx
    .selectFrom("matches")
    .select("job_id")
    .where("ladder_id", "=", ladder.id)
    .where("rated", "=", true)
    .where("state", "in", ["waiting", "running"]);
  if (ladder.state !== "frozen") strays = strays.where("reason", "<>", "finals");
  for (const { job_id } of await strays.orderBy("job_id").execute())
    await cancelJob(app, tx, job_id, `the ladder is ${ladder.state}`);
}

async function byInformation(
  app: App,
  tx: Tx,
  ladder: LadderRow,
  rules: StoredRules,
  live: readonly string[][],
  room: number,
): Promise<number> {
  const lineups = [...live];
  const chance = SeededChance.fromSeed(randomSeed());
  for (let made = 0; made < room; made++) {
    const lineup = await choose(tx, ladder.id, rules, lineups, chance);
    if (lineup === null) return made;
    lineups.push(lineup.map(({ agent }) => agent));
    await makeMatch(app, tx, {
      ladderId: ladder.id,
      spaceId: ladder.space_id,
      rules,
      reason: lineup.some(({ placement }) => placement) ? "placement" : "ladder",
      seats: lineup,
      ownerId: null,
    });
  }
  return Math.max(0, room);
}

async function choose(
  tx: Tx,
  ladderId: string,
  rules: StoredRules,
  lineups: readonly string[][],
  chance: Chance,
): Promise<LadderCandidate[] | null> {
  const candidates = await findCandidates(tx, ladderId, rules, lineups);
  const [first] = candidates;
  if (first === undefined || candidates.length < rules.seats) return null;
  const cooling = await coolingPairs(
    tx,
    ladderId,
    candidates.map(({ agent }) => agent),
    rules.cooldownSeconds,
  );
  for (const lineup of lineups)
    for (const [at, one] of lineup.entries())
      for (const other of lineup.slice(at + 1)) if (rules.cooldownSeconds > 0) cooling.add(pairKey(one, other));
  const alone =
    candidates.every(({ owner }) => owner === first.owner) && !(await hasOtherOwner(tx, ladderId, first.owner));
  const lineup = nextLineup({
    candidates,
    seats: rules.seats,
    mayMeet: (one, other) => (alone || one.owner !== other.owner) && !cooling.has(pairKey(one.agent, other.agent)),
    chance,
  });
  return lineup === null ? null : await seated(tx, ladderId, lineup, chance);
}

/** Two take turns in the first seat; where there are more seats they are drawn. */
async function seated(
  tx: Tx,
  ladderId: string,
  lineup: readonly LadderCandidate[],
  chance: Chance,
): Promise<LadderCandidate[]> {
  const byId = [...lineup].sort((a, b) => (a.agent < b.agent ? -1 : 1));
  const turn =
    byId.length === 2 ? (await meetings(tx, ladderId, byId[0]!.agent, byId[1]!.agent)) % 2 : chance.below(byId.length);
  return [...byId.slice(turn), ...byId.slice(0, turn)];
}

/** `seen`: the ladder as it was when its matches were counted. */
async function fromPlan(app: App, tx: Tx, seen: LadderRow, room: number): Promise<number> {
  // As it is now: an organiser may have frozen it meanwhile, or begun another plan, which is not to lose its place.
  const ladder = await tx
    .selectFrom("ladders")
    .selectAll()
    .where("id", "=", seen.id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  if (ladder.state !== seen.state || ladder.plan === null) return 0;
  const rules = ladderRules(ladder);
  const plan = storedPlan.parse(ladder.plan);
  const end = places(plan.agents.length, rules.seats, plan.rounds);
  let place = ladder.plan_next;
  const chosen: number[][] = [];
  for (; place < end && chosen.length < room; place++) {
    const lineup = lineupAt(plan, rules.seats, place);
    if (lineup !== null) chosen.push(lineup);
  }
  if (place === ladder.plan_next && place < end) return 0;
  const plans = await seatPlans(tx, ladder.id, plan, chosen);
  let made = 0;
  for (const lineup of chosen) {
    const seats = lineup.flatMap((index) => plans.get(plan.agents[index]!.agent) ?? []);
    if (seats.length < lineup.length) continue;
    made++;
    await makeMatch(app, tx, {
      ladderId: ladder.id,
      spaceId: ladder.space_id,
      rules,
      reason: plan.kind === "finals" ? "finals" : "ladder",
      seats,
      ownerId: null,
    });
  }
  await tx
    .updateTable("ladders")
    .set(place >= end ? { plan: null, plan_next: 0 } : { plan_next: place })
    .where("id", "=", ladder.id)
    .execute();
  return made;
}

/** Finals are played by the versions of their beginning; a round by those that are active now, and without who has left. */
async function seatPlans(
  tx: Tx,
  ladderId: string,
  plan: Plan,
  lineups: readonly number[][],
): Promise<Map<string, SeatPlan>> {
  const wanted = [...new Set(lineups.flat())].map((index) => plan.agents[index]!);
  if (wanted.length === 0) return new Map();
  let query = tx
    .selectFrom("ladder_agents as l")
    .innerJoin("agents as a", "a.id", "l.agent_id")
    .innerJoin("agent_versions as v", "v.agent_id", "a.id")
    .select(["l.agent_id", "a.name", "v.id as version_id", "v.digest"])
    .where("l.ladder_id", "=", ladderId)
    .where(
      "l.agent_id",
      "in",
      wanted.map(({ agent }) => agent),
    );
  query =
    plan.kind === "finals"
      ? query.where(
          "v.id",
          "in",
          wanted.map(({ version }) => version),
        )
      : query.where("l.active", "=", true).whereRef("v.id", "=", "l.version_id");
  const rows = await query.execute();
  return new Map(
    rows.map(({ agent_id, name, version_id, digest }) => [
      agent_id,
      { agentId: agent_id, versionId: version_id, name, digest },
    ]),
  );
}
