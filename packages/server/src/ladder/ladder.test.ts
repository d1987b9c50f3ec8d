import { SeededChance } from "@lanista/games/chance";
import { afterEach, describe, expect, it } from "vitest";
import { inTransaction } from "../jobs/transaction.ts";
import { freeze, startFinals, startRound } from "./change-ladder.ts";
import { fillLadder } from "./fill-ladder.ts";
import { finishFinals } from "./finals.ts";
import { lookAtLadders } from "./matchmaker.ts";
import { INITIAL_SIGMA, versionSigma } from "./rating.ts";
import { findLadder } from "./rows.ts";
import { LadderApp, type TestAgent } from "./testing/ladder-app.ts";
import { verifyLadder } from "./verify.ts";

const open: LadderApp[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function opened(): Promise<LadderApp> {
  const made = await LadderApp.open();
  open.push(made);
  return made;
}

async function agents(at: LadderApp, ladder: string, count: number): Promise<TestAgent[]> {
  const made: TestAgent[] = [];
  for (let index = 0; index < count; index++) made.push(await at.agent(ladder, `agent ${index}`));
  return made;
}

const never = new AbortController().signal;

/** Plays all that waits, the lower index winning mostly; gives how many matches that were. */
async function play(at: LadderApp, ladder: string, all: readonly TestAgent[], chance: SeededChance): Promise<number> {
  const matches = await at.waiting(ladder);
  await Promise.all(
    matches.map(({ job, agents: seats }) => {
      const [one, other] = seats.map((id) => all.findIndex((agent) => agent.id === id)) as [number, number];
      const better = chance.uniform(0, 1) < 0.85 ? one < other : one > other;
      return at.completed(job, chance.uniform(0, 1) < 0.1 ? [1, 1] : better ? [1, 2] : [2, 1]);
    }),
  );
  return matches.length;
}

describe("a ladder", () => {
  it("keeps matches queued, rates them as they end, many at once, and its ratings are what its log gives", async () => {
    const at = await opened();
    const ladder = await at.ladder({ parallelMatches: 8 });
    const all = await agents(at, ladder, 6);
    const chance = SeededChance.fromSeed(1);
    let played = 0;
    for (let turn = 0; turn < 12; turn++) {
      expect(await lookAtLadders(at.app, never)).toBe(8);
      expect(await lookAtLadders(at.app, never)).toBe(0);
      played += await play(at, ladder, all, chance);
    }
    expect(played).toBe(96);
    const verdict = await verifyLadder(at.app.db, ladder);
    expect(verdict).toEqual({ equal: true, matches: 96, agents: 6, differences: [] });
    const { log_length } = await findLadder(at.app.db, ladder);
    expect(log_length).toBe(96);
    const rows = await Promise.all(all.map((agent) => at.row(ladder, agent.id)));
    expect(rows.reduce((sum, row) => sum + row.matches, 0)).toBe(192);
    expect(rows.reduce((sum, row) => sum + row.day_matches, 0)).toBe(192);
    expect(rows.map((row) => row.mu)[0]!).toBeGreaterThan(rows.map((row) => row.mu)[5]!);
    for (const row of rows) expect(row.sigma).toBeLessThan(6);
  });

  it("says of every rating that was tampered with what is wrong", async () => {
    const at = await opened();
    const ladder = await at.ladder();
    const all = await agents(at, ladder, 3);
    await lookAtLadders(at.app, never);
    await play(at, ladder, all, SeededChance.fromSeed(2));
    const { db } = at.app;
    await db.updateTable("ladder_agents").set({ mu: 31 }).where("agent_id", "=", all[0]!.id).execute();
    await db.updateTable("head_to_head").set({ draws: 9 }).execute();
    const [first] = await db.selectFrom("match_log").select("match_id").orderBy("number").execute();
    await db
      .updateTable("matches")
      .set({ outcome: JSON.stringify({ kind: "infra_fault" }) })
      .where("id", "=", first!.match_id)
      .execute();
    const { equal, differences } = await verifyLadder(db, ladder);
    expect(equal).toBe(false);
    expect(differences.some((text) => text.startsWith(`mu of agent ${all[0]!.id} is 31`))).toBe(true);
    expect(differences.some((text) => text.startsWith("draws of"))).toBe(true);
    expect(differences).toContain("match 1 of the log ended as infra_fault");
    await expect(db.updateTable("match_log").set({ at: new Date() }).execute()).rejects.toThrow(/append-only/);
    await expect(db.deleteFrom("match_log").execute()).rejects.toThrow(/append-only/);
  });

  it("plays newcomers first, and both seatings of a pair in turn", async () => {
    const at = await opened();
    const ladder = await at.ladder({ parallelMatches: 1, placementMatches: 2 });
    const all = await agents(at, ladder, 2);
    const first: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      await lookAtLadders(at.app, never);
      const [match] = await at.waiting(ladder);
      expect(match!.reason).toBe(turn < 2 ? "placement" : "ladder");
      first.push(match!.agents[0]!);
      await at.completed(match!.job, [1, 2]);
    }
    expect(first[0]).not.toBe(first[1]);
    expect(first[2]).toBe(first[0]);
    const third = await at.agent(ladder, "newcomer");
    await lookAtLadders(at.app, never);
    expect((await at.waiting(ladder))[0]!.agents).toContain(third.id);
    expect(all).toHaveLength(2);
  });

  it("never rates a fault of ours or a cancel, counts it against nobody's day, and makes who it follows wait", async () => {
    const at = await opened();
    const ladder = await at.ladder({ parallelMatches: 1, dailyMatches: 1 });
    const [a, b] = (await agents(at, ladder, 2)) as [TestAgent, TestAgent];
    const before = [await at.row(ladder, a.id), await at.row(ladder, b.id)];
    await lookAtLadders(at.app, never);
    const [cancelled] = await at.waiting(ladder);
    await at.end(cancelled!.job, { kind: "cancelled" }, []);
    await lookAtLadders(at.app, never);
    const [broken] = await at.waiting(ladder);
    await at.die(broken!.job, broken!.agents.indexOf(a.id));
    const after = [await at.row(ladder, a.id), await at.row(ladder, b.id)];
    for (const [index, row] of after.entries())
      expect({ ...row, infra_streak: 0, held_until: null }).toEqual(before[index]);
    expect(after[0]!.held_until!.getTime()).toBeGreaterThan(Date.now() + 5000);
    expect(after[1]!.held_until).toBeNull();
    expect((await findLadder(at.app.db, ladder)).log_length).toBe(0);
    const match = await at.app.db.selectFrom("matches").selectAll().where("id", "=", broken!.id).executeTakeFirst();
    expect(match).toMatchObject({ state: "dead", outcome: { kind: "infra_fault" } });
    // Held back: there is nobody else to play with.
    expect(await lookAtLadders(at.app, never)).toBe(0);
    await at.newVersion(ladder, a);
    expect(await lookAtLadders(at.app, never)).toBe(1);
    await play(at, ladder, [a, b], SeededChance.fromSeed(3));
    // One rated match a day, and it is played.
    expect(await lookAtLadders(at.app, never)).toBe(0);
    expect((await verifyLadder(at.app.db, ladder)).equal).toBe(true);
  });

  it("takes an agent's fault for its loss, and a report that makes no sense for nobody's", async () => {
    const at = await opened();
    const ladder = await at.ladder({ parallelMatches: 1 });
    const [a, b] = (await agents(at, ladder, 2)) as [TestAgent, TestAgent];
    await lookAtLadders(at.app, never);
    const [match] = await at.waiting(ladder);
    const guilty = match!.agents.indexOf(a.id);
    await at.end(
      match!.job,
      { kind: "agent_fault", seats: [guilty], fault: "timeout" },
      guilty === 0 ? [2, 1] : [1, 2],
    );
    expect(await at.row(ladder, a.id)).toMatchObject({ losses: 1, faults: 1, wins: 0 });
    expect(await at.row(ladder, b.id)).toMatchObject({ losses: 0, faults: 0, wins: 1 });
    await lookAtLadders(at.app, never);
    const [nonsense] = await at.waiting(ladder);
    await at.completed(nonsense!.job, [2, 2]);
    const row = await at.app.db.selectFrom("matches").selectAll().where("id", "=", nonsense!.id).executeTakeFirst();
    expect(row!.outcome!.kind).toBe("infra_fault");
    const verdict = await verifyLadder(at.app.db, ladder);
    expect(verdict).toMatchObject({ equal: true, matches: 1 });
  });

  it("grows a new version's sigma with its first match, once, and the matchmaker counts on it before", async () => {
    const at = await opened();
    const ladder = await at.ladder({ parallelMatches: 1, placementMatches: 1 });
    const [a, b] = (await agents(at, ladder, 2)) as [TestAgent, TestAgent];
    for (let match = 0; match < 10; match++) {
      await lookAtLadders(at.app, never);
      await play(at, ladder, [a, b], SeededChance.fromSeed(match));
    }
    const before = await at.row(ladder, a.id);
    await at.newVersion(ladder, a);
    await at.newVersion(ladder, a);
    const joined = await at.row(ladder, a.id);
    expect([joined.mu, joined.sigma]).toEqual([before.mu, before.sigma]);
    expect(joined.urgency).toBeCloseTo(versionSigma(before.sigma), 9);
    await lookAtLadders(at.app, never);
    await play(at, ladder, [a, b], SeededChance.fromSeed(99));
    const after = await at.row(ladder, a.id);
    expect(after.sigma).toBeGreaterThan(before.sigma);
    expect(after.sigma).toBeLessThan(INITIAL_SIGMA);
    expect(after.urgency).toBe(after.sigma);
    expect((await verifyLadder(at.app.db, ladder)).equal).toBe(true);
  });

  it("lets agents of one owner not meet while there is somebody else, and pairs not meet within the cooldown", async () => {
    const at = await opened();
    const ladder = await at.ladder({ parallelMatches: 10, cooldownSeconds: 3600 });
    const owner = await at.user("the owner of two");
    const [a, b] = [await at.agent(ladder, "a", owner), await at.agent(ladder, "b", owner)];
    const c = await at.agent(ladder, "c");
    expect(await lookAtLadders(at.app, never)).toBe(2);
    for (const { agents: seats } of await at.waiting(ladder)) expect(seats).toContain(c.id);
    await play(at, ladder, [a, b, c], SeededChance.fromSeed(4));
    expect(await lookAtLadders(at.app, never)).toBe(0);
    const alone = await at.ladder({ parallelMatches: 1 });
    await at.agent(alone, "d", owner);
    await at.agent(alone, "e", owner);
    expect((await fillLadder(at.app, alone)).made).toBe(1);
  });
});

describe("a match that its own deadline ended", () => {
  async function timedOut(thinkMs: number): Promise<LadderApp> {
    const at = await opened();
    const ladder = await at.ladder({ parallelMatches: 1, matchSeconds: 10, actSeconds: 1, env: "tic-tac-toe" });
    await agents(at, ladder, 2);
    await lookAtLadders(at.app, never);
    const [match] = await at.waiting(ladder);
    await at.end(match!.job, { kind: "cancelled" }, [0, 0], at.slowReplay(1, thinkMs));
    return at;
  }

  it("is lost by who used up more than his part of the time", async () => {
    const at = await timedOut(950);
    const { id, outcome } = await at.app.db.selectFrom("matches").selectAll().executeTakeFirstOrThrow();
    expect(outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "timeout" });
    const seats = await at.app.db
      .selectFrom("match_seats")
      .selectAll()
      .where("match_id", "=", id)
      .orderBy("seat")
      .execute();
    expect(seats.map(({ rank, fault }) => [rank, fault])).toEqual([
      [1, ""],
      [2, "timeout"],
    ]);
    const { id: ladder } = await at.app.db.selectFrom("ladders").selectAll().executeTakeFirstOrThrow();
    expect(await at.row(ladder, seats[1]!.agent_id!)).toMatchObject({ losses: 1, faults: 1 });
    expect((await verifyLadder(at.app.db, ladder)).equal).toBe(true);
  });

  it("is nobody's loss where the time went elsewhere", async () => {
    const at = await timedOut(10);
    expect((await at.app.db.selectFrom("matches").selectAll().executeTakeFirstOrThrow()).outcome!.kind).toBe(
      "cancelled",
    );
    expect(await at.app.db.selectFrom("match_log").selectAll().execute()).toEqual([]);
  });
});

describe("a ladder's states", () => {
  it("frozen: waiting matches are cancelled, what ends later is not rated, and nothing new is made", async () => {
    const at = await opened();
    const ladder = await at.ladder();
    const all = await agents(at, ladder, 3);
    await lookAtLadders(at.app, never);
    const waiting = await at.waiting(ladder);
    await inTransaction(at.app, async (tx) => freeze(at.app, tx, await findLadder(tx, ladder), true));
    await at.completed(waiting[0]!.job, [1, 2]);
    await lookAtLadders(at.app, never);
    expect(await at.waiting(ladder)).toHaveLength(0);
    expect((await findLadder(at.app.db, ladder)).log_length).toBe(0);
    expect((await at.row(ladder, all[0]!.id)).matches).toBe(0);
    await inTransaction(at.app, async (tx) => freeze(at.app, tx, await findLadder(tx, ladder), false));
    expect(await lookAtLadders(at.app, never)).toBe(4);
  });

  it("finals: everybody against everybody with both seatings, a few at a time, then the table; live ratings stand", async () => {
    const at = await opened();
    const ladder = await at.ladder({ parallelMatches: 5 });
    const all = await agents(at, ladder, 4);
    await lookAtLadders(at.app, never);
    await play(at, ladder, all, SeededChance.fromSeed(5));
    const live = await Promise.all(all.map((agent) => at.row(ladder, agent.id)));
    const versions = new Map(all.map((agent) => [agent.id, agent.version]));
    const { matches } = await inTransaction(at.app, async (tx) =>
      startFinals(at.app, tx, await findLadder(tx, ladder), 3, 0),
    );
    expect(matches).toBe(4 * 3 * 3);
    // A version that comes now is not the one that plays.
    await at.newVersion(ladder, all[0]!);
    const seatings = new Map<string, number>();
    const chance = SeededChance.fromSeed(6);
    let dead = 0;
    for (let turn = 0; (await findLadder(at.app.db, ladder)).state === "finals"; turn++) {
      expect(turn).toBeLessThan(100);
      await lookAtLadders(at.app, never);
      const waiting = await at.waiting(ladder);
      expect(waiting.length).toBeLessThanOrEqual(5);
      for (const { agents: seats, id } of waiting) {
        seatings.set(seats.join(" "), (seatings.get(seats.join(" ")) ?? 0) + 1);
        const rows = await at.app.db.selectFrom("match_seats").selectAll().where("match_id", "=", id).execute();
        for (const row of rows) expect(row.version_id).toBe(versions.get(row.agent_id!));
      }
      if (turn === 0) {
        await at.die(waiting[0]!.job);
        dead++;
      }
      await play(at, ladder, all, chance);
    }
    expect(dead).toBe(1);
    expect(seatings.size).toBe(12);
    expect(new Set(seatings.values())).toEqual(new Set([3]));
    const rows = await Promise.all(all.map((agent) => at.row(ladder, agent.id)));
    expect(rows.map(({ mu, matches: played }) => [mu, played])).toEqual(live.map((row) => [row.mu, row.matches]));
    const elos = rows.map((row) => row.final_elo!);
    expect(elos.reduce((sum, one) => sum + one, 0)).toBeCloseTo(0, 6);
    expect(elos[0]!).toBeGreaterThan(elos[3]!);
    for (const row of rows) {
      expect(row.final_low!).toBeLessThan(row.final_elo!);
      expect(row.final_high!).toBeGreaterThan(row.final_elo!);
    }
    const verdict = await verifyLadder(at.app.db, ladder);
    expect(verdict.differences).toEqual([]);
    // Computed once more it is the same; and the closed finals stay closed.
    await finishFinals(at.app, ladder);
    expect((await findLadder(at.app.db, ladder)).state).toBe("finished");
  });

  it("a round: everybody against everybody once, rated", async () => {
    const at = await opened();
    const ladder = await at.ladder({ parallelMatches: 100, cooldownSeconds: 3600 });
    const all = await agents(at, ladder, 4);
    await inTransaction(at.app, async (tx) => startRound(at.app, tx, await findLadder(tx, ladder)));
    expect(await lookAtLadders(at.app, never)).toBe(12);
    expect(await play(at, ladder, all, SeededChance.fromSeed(7))).toBe(12);
    const rows = await Promise.all(all.map((agent) => at.row(ladder, agent.id)));
    for (const row of rows) expect(row.matches).toBe(6);
    expect((await verifyLadder(at.app.db, ladder)).equal).toBe(true);
  });
});

it("two servers that look at once make no match twice", async () => {
  const at = await opened();
  const ladder = await at.ladder({ parallelMatches: 6 });
  await agents(at, ladder, 8);
  await Promise.all(Array.from({ length: 8 }, () => lookAtLadders(at.app, never)));
  await lookAtLadders(at.app, never);
  expect(await at.waiting(ladder)).toHaveLength(6);
});
