/** Ladders, matches and replays as people see them, on a whole server; ends of matches are told to the jobs' own code. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fromWire, LanistaError } from "@lanista/api/errors";
import { Ladder_State } from "@lanista/api/gen/lanista/v1/ladders_pb";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endJob } from "../jobs/finish.ts";
import { inTransaction } from "../jobs/transaction.ts";
import { joinLadder } from "../ladder/join.ts";
import { type TestPerson, type TestServer, testServer } from "../testing/server.ts";

let server: TestServer;
let organiser: TestPerson;
let ann: TestPerson;
let ben: TestPerson;
let stranger: TestPerson;
const space = uuid();

beforeAll(async () => {
  server = await testServer();
  organiser = await server.person("organiser", { organiser: true });
  ann = await server.person("ann", { scope: "participant" });
  ben = await server.person("ben", { scope: "participant" });
  stranger = await server.person("stranger", { scope: "participant" });
  const { db } = server.database;
  await db.insertInto("spaces").values({ id: space, slug: "course", title: "Course" }).execute();
  for (const [person, role] of [
    [organiser, "organiser"],
    [ann, "participant"],
    [ben, "participant"],
  ] as const)
    await db.insertInto("members").values({ space_id: space, user_id: person.id, role }).execute();
});
afterAll(() => server.close());

async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new LanistaError("internal", "it was not refused"),
    (caught: unknown) => fromWire(caught),
  );
  return error.code;
}

const rules = { env: "tic-tac-toe", parallelMatches: 2, cooldownSeconds: -1, agentsPerParticipant: 5 };

async function ladderWith(slug: string, isPublic: boolean, agents: readonly (readonly [string, TestPerson])[]) {
  const { ladder } = await organiser.client.ladders.createLadder({
    space: "course",
    slug,
    title: slug,
    rules,
    public: isPublic,
  });
  const ids: string[] = [];
  for (const [name, owner] of agents) {
    const { agent } = await owner.client.agents.createAgent({ space: "course", name: `${name} of ${slug}` });
    const version = uuid();
    const digest = uuid().replaceAll("-", "").repeat(2);
    const { db } = server.database;
    await db.insertInto("bundles").values({ digest, size_bytes: 1 }).execute();
    await db
      .insertInto("agent_versions")
      .values({ id: version, agent_id: agent!.id, number: 1, digest, size_bytes: 1, validation: "valid" })
      .execute();
    await inTransaction(server.app, (tx) =>
      joinLadder(server.app, tx, { ladderId: ladder!.id, agentId: agent!.id, versionId: version }),
    );
    ids.push(agent!.id);
  }
  return { id: ladder!.id, agents: ids };
}

async function end(matchId: string, ranks: readonly number[], replay: string | null = null): Promise<void> {
  const replayBlob = replay === null ? null : (await server.app.store.put(gzipSync(replay))).digest;
  await inTransaction(server.app, async (tx) => {
    const match = await tx.selectFrom("matches").selectAll().where("id", "=", matchId).executeTakeFirstOrThrow();
    const job = await tx
      .selectFrom("jobs")
      .selectAll()
      .where("id", "=", match.job_id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const seat = { faults: 0, faultKinds: {}, detail: "", digest: "", cpuSeconds: 0, peakMemoryBytes: 0 };
    const result = {
      envVersion: 1,
      seats: ranks.map((rank) => ({ ...seat, rank, score: 2 - rank })),
      episodes: 1,
      steps: 9,
      replayHash: "",
      timedOut: false,
      wallSeconds: 1,
      engine: "test",
      sandbox: null,
    };
    await endJob(server.app, tx, job, { outcome: { kind: "completed" }, result, replayBlob });
  });
  await server.app.events.publish(server.app.db, `match:${matchId}`);
}

/** The first match that waits; the server's own matchmaker makes it. */
async function waitingMatch(ladderId: string): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const { matches } = await organiser.client.matches.listMatches({ space: "course", ladderId });
    const waiting = matches.findLast(({ state }) => state === "waiting");
    if (waiting !== undefined) return waiting.id;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("no match was made");
}

describe("ladders over the API", () => {
  it("fill in what is left out, and refuse what cannot be played", async () => {
    const { id } = await ladderWith("defaults", false, []);
    const { ladder } = await ann.client.ladders.getLadder({ ladder: "course/defaults" });
    expect(ladder).toMatchObject({ id, state: Ladder_State.OPEN, agents: 0, matches: 0n });
    expect(ladder!.rules).toMatchObject({
      seats: 2,
      episodes: 1,
      matchSeconds: 600,
      cooldownSeconds: -1,
      tier: "container",
    });
    const create = (slug: string, more: object) =>
      refusal(
        organiser.client.ladders.createLadder({ space: "course", slug, title: "x", rules: { ...rules, ...more } }),
      );
    expect(await create("defaults", {})).toBe("exists");
    expect(await create("a", { env: "chess" })).toBe("invalid");
    expect(await create("a", { env: "cart-pole" })).toBe("invalid");
    expect(await create("a", { seats: 3 })).toBe("invalid");
    expect(await create("a", { optionsJson: "[" })).toBe("invalid");
    expect(await create("a", { optionsJson: '{"size": 3}' })).toBe("invalid");
    expect(await create("a", { queue: "nowhere" })).toBe("invalid");
    expect(await create("a", { tier: "cardboard" })).toBe("invalid");
    expect(await create("a", { matchSeconds: 19 })).toBe("invalid");
    expect(await create("a", { matchSeconds: 74, limits: { startMs: 30_000 } })).toBe("invalid");
    expect(await refusal(ann.client.ladders.createLadder({ space: "course", slug: "b", title: "x", rules }))).toBe(
      "forbidden",
    );
    expect(await refusal(stranger.client.ladders.getLadder({ ladder: id }))).toBe("not_found");
    const { ladders } = await ann.client.ladders.listLadders({ space: "course" });
    expect(ladders.map(({ slug }) => slug)).toContain("defaults");
  });

  it("play, rate, and show a public board to anybody and a private one to whom it concerns", async () => {
    const open = await ladderWith("open", true, [
      ["a", ann],
      ["b", ben],
    ]);
    const closed = await ladderWith("closed", false, [
      ["a", ann],
      ["b", ben],
    ]);
    for (const { id } of [open, closed]) await end(await waitingMatch(id), [1, 2]);
    const anybody = server.client();
    const { rows } = await anybody.ladders.getLeaderboard({ ladder: "course/open" });
    expect(rows.map(({ rank, matches, provisional }) => [rank, matches, provisional])).toEqual([
      [1, 1, true],
      [2, 1, true],
    ]);
    expect(rows[0]!.rating).toBeCloseTo(rows[0]!.mu - 3 * rows[0]!.sigma, 9);
    expect(await refusal(anybody.ladders.getLeaderboard({ ladder: "course/closed" }))).toBe("not_found");
    expect(await refusal(stranger.client.ladders.getLeaderboard({ ladder: "course/closed" }))).toBe("not_found");
    const mine = await ann.client.ladders.getLeaderboard({ ladder: "course/closed" });
    const his = await ben.client.ladders.getLeaderboard({ ladder: "course/closed" });
    expect([mine.rows.length, his.rows.length]).toEqual([1, 1]);
    expect([mine.rows[0]!.rank, his.rows[0]!.rank].sort()).toEqual([1, 2]);
    const all = await organiser.client.ladders.getLeaderboard({ ladder: "course/closed" });
    expect(all.rows).toHaveLength(2);
    const { pairs } = await ann.client.ladders.getHeadToHead({ ladderId: open.id });
    expect(pairs).toHaveLength(1);
    expect(pairs[0]!.wins + pairs[0]!.losses).toBe(1);
    const verdict = await organiser.client.ladders.verifyLadder({ ladderId: open.id });
    expect(verdict).toMatchObject({ equal: true, matches: 1n, agents: 2, differences: [] });
    expect(await refusal(ann.client.ladders.verifyLadder({ ladderId: open.id }))).toBe("forbidden");
  });

  it("page a board without skipping, repeating or renumbering a row", async () => {
    const { id } = await ladderWith("pages", true, []);
    const { db } = server.database;
    const agents = Array.from({ length: 25 }, () => uuid());
    const digest = uuid().replaceAll("-", "").repeat(2);
    await db.insertInto("bundles").values({ digest, size_bytes: 1 }).execute();
    for (const [index, agent] of agents.entries()) {
      await db
        .insertInto("agents")
        .values({ id: agent, space_id: space, owner_id: ann.id, name: `row ${index}` })
        .execute();
      const version = uuid();
      await db
        .insertInto("agent_versions")
        .values({ id: version, agent_id: agent, number: 1, digest, size_bytes: 1 })
        .execute();
      const mu = 25 + Math.floor(index / 3) / 3;
      const final = index % 5 === 0 ? { final_elo: -index, final_low: -index - 1, final_high: -index + 1 } : {};
      await db
        .insertInto("ladder_agents")
        .values({ ladder_id: id, agent_id: agent, version_id: version, mu, sigma: 1.1, urgency: 0, ...final })
        .execute();
    }
    for (const state of ["frozen", "finished"] as const) {
      await db.updateTable("ladders").set({ state }).where("id", "=", id).execute();
      const whole = await ann.client.ladders.getLeaderboard({ ladder: id, page: { size: 200 } });
      expect(whole.rows).toHaveLength(25);
      const paged = [];
      for (let token = ""; ; ) {
        const page = await ann.client.ladders.getLeaderboard({ ladder: id, page: { size: 4, token } });
        paged.push(...page.rows);
        token = page.nextPageToken;
        if (token === "") break;
      }
      expect(paged.map(({ agentId, rank }) => [agentId, rank])).toEqual(
        whole.rows.map(({ agentId, rank }) => [agentId, rank]),
      );
      if (state === "frozen") expect(whole.rows.slice(0, 3).map(({ rank }) => rank)).toEqual([1, 2, 2]);
      else expect(whole.rows.slice(0, 5).map(({ finalElo }) => finalElo)).toEqual([0, -5, -10, -15, -20]);
    }
    for (const token of ["x", Buffer.from('["rating",1,"x",1,1]').toString("base64url")])
      expect(await refusal(ann.client.ladders.getLeaderboard({ ladder: id, page: { token } }))).toBe("invalid");
  });

  it("freeze, change, withdraw: each for whom it is", async () => {
    const { id, agents } = await ladderWith("states", false, [
      ["a", ann],
      ["b", ben],
    ]);
    expect(await refusal(ann.client.ladders.freezeLadder({ ladderId: id, frozen: true }))).toBe("forbidden");
    const { ladder } = await organiser.client.ladders.freezeLadder({ ladderId: id, frozen: true });
    expect(ladder!.state).toBe(Ladder_State.FROZEN);
    const changed = await organiser.client.ladders.updateLadder({
      ladderId: id,
      title: "New",
      public: true,
      rules: { ...rules, env: "connect-four" },
    });
    expect(changed.ladder).toMatchObject({ title: "New", public: true, rules: { env: "connect-four" } });
    expect(await refusal(ben.client.ladders.withdraw({ ladderId: id, agentId: agents[0]! }))).toBe("not_found");
    await ann.client.ladders.withdraw({ ladderId: id, agentId: agents[0]! });
    const { rows } = await server.client().ladders.getLeaderboard({ ladder: id });
    expect(rows.map(({ agentId }) => agentId)).toEqual([agents[1]]);
    expect(await refusal(organiser.client.ladders.startFinals({ ladderId: id, rounds: 1 }))).toBe("conflict");
  });

  it("do not change the game once a match is logged", async () => {
    const { id } = await ladderWith("logged", false, [
      ["a", ann],
      ["b", ben],
    ]);
    await end(await waitingMatch(id), [1, 1]);
    const update = (more: object) =>
      organiser.client.ladders.updateLadder({ ladderId: id, rules: { ...rules, ...more } });
    expect(await refusal(update({ env: "connect-four" }))).toBe("conflict");
    expect((await update({ dailyMatches: 7 })).ladder!.rules!.dailyMatches).toBe(7);
  });
});

describe("matches over the API", () => {
  it("are asked for, seen by who may, watched to their end, and cancelled", async () => {
    const { id, agents } = await ladderWith("asked", false, [
      ["a", ann],
      ["b", ben],
    ]);
    const ask = (who: TestPerson, agentIds: string[]) => who.client.matches.requestMatch({ ladderId: id, agentIds });
    expect(await refusal(ask(ann, [agents[0]!]))).toBe("invalid");
    expect(await refusal(ask(ann, [agents[1]!, agents[1]!]))).toBe("forbidden");
    expect(await refusal(ask(ann, [agents[0]!, uuid()]))).toBe("not_found");
    const { match } = await ask(ann, [agents[0]!, agents[1]!]);
    expect(match).toMatchObject({ state: "waiting", rated: false, reason: "requested", seed: "" });
    expect(await refusal(ben.client.matches.getMatch({ matchId: match!.id }))).toBe("not_found");
    expect(await refusal(ben.client.matches.cancelMatch({ matchId: match!.id }))).toBe("not_found");
    expect((await organiser.client.matches.getMatch({ matchId: match!.id })).match!.id).toBe(match!.id);

    const seen: string[] = [];
    const watching = (async () => {
      for await (const { event } of ann.client.matches.watchMatch({ matchId: match!.id }))
        seen.push(event.case === "match" ? event.value.state : event.case === "moves" ? event.value.lines : "");
    })();
    await expect.poll(() => seen.length).toBe(1);
    await server.database.db
      .insertInto("job_output")
      .values({ job_id: match!.jobId, attempt: 1, seq: 0, seat: -1, text: "one\n" })
      .execute();
    await server.app.events.publish(server.app.db, `job:${match!.jobId}`);
    await expect.poll(() => seen.length).toBe(2);
    await end(match!.id, [1, 2], "one\ntwo\n");
    await watching;
    expect(seen).toEqual(["waiting", "one\n", "two\n", "ended"]);
    const { match: over } = await ann.client.matches.getMatch({ matchId: match!.id });
    expect(over!.seed).toMatch(/^\d+$/);
    expect(over!.seats.map(({ rank }) => rank)).toEqual([1, 2]);
    expect(over!.seats[0]!.muAfter).toBeUndefined();
    expect((await ann.client.ladders.getLeaderboard({ ladder: id })).rows[0]!.matches).toBe(0);

    const { match: second } = await ask(ann, [agents[1]!, agents[0]!]);
    const { match: cancelled } = await ann.client.matches.cancelMatch({ matchId: second!.id });
    expect(cancelled!.state).toBe("ended");
    expect(cancelled!.outcome!.detail).toBe("cancelled by who asked for it");
    const rated = await waitingMatch(id);
    expect(await refusal(ann.client.matches.cancelMatch({ matchId: rated }))).toBe("not_found");
    const lists = async (who: TestPerson) =>
      (await who.client.matches.listMatches({ space: "course", ladderId: id, agentId: agents[0]! })).matches.filter(
        ({ reason }) => reason === "requested",
      ).length;
    expect([await lists(ann), await lists(ben), await lists(organiser)]).toEqual([2, 0, 2]);
    expect(await refusal(ann.client.matches.listMatches({ space: "course", agentId: "'; --" }))).toBe("invalid");
  });

  it("keep their seed to themselves until they ended, also where they are watched", async () => {
    const file = join(import.meta.dirname, "../../../../test/replays/tic-tac-toe.jsonl");
    const text = await readFile(file, "utf8");
    const [first = "", second = ""] = text.split("\n");
    const { chance } = JSON.parse(first);
    const { agents, id } = await ladderWith("seeds", false, [
      ["a", ann],
      ["b", ben],
    ]);
    const { match } = await ann.client.matches.requestMatch({ ladderId: id, agentIds: agents });
    const [matchId, jobId] = [match!.id, match!.jobId];
    const watch = (seen: string[]) =>
      (async () => {
        for await (const { event } of ann.client.matches.watchMatch({ matchId }))
          if (event.case === "moves") seen.push(event.value.lines);
      })();
    const during: string[] = [];
    const watching = watch(during);
    await server.database.db
      .insertInto("job_output")
      .values({ job_id: jobId, attempt: 1, seq: 0, seat: -1, text: `${first}\n${second}\n` })
      .execute();
    await server.app.events.publish(server.app.db, `job:${jobId}`);
    await expect.poll(() => during.length).toBe(1);
    const [shown = "", move] = during[0]!.split("\n");
    expect(JSON.parse(shown)).toEqual({ ...JSON.parse(first), seed: null, chance: null });
    for (const secret of chance) expect(during[0]).not.toContain(String(secret));
    expect(move).toBe(second);
    await end(matchId, [1, 2], text);
    await watching;
    expect(during.join("").slice(shown.length)).toBe(text.slice(first.length));
    const after: string[] = [];
    await watch(after);
    expect(after.join("")).toBe(text);
  });

  it("hide on a private ladder what its board hides", async () => {
    const { id, agents } = await ladderWith("hidden", false, [
      ["a", ann],
      ["b", ben],
    ]);
    const matchId = await waitingMatch(id);
    await end(matchId, [1, 2]);
    const { match } = await ann.client.matches.getMatch({ matchId });
    for (const seat of match!.seats) expect(seat.muAfter !== undefined).toBe(seat.agentId === agents[0]);
    const { match: whole } = await organiser.client.matches.getMatch({ matchId });
    for (const seat of whole!.seats) expect(seat.muAfter).toBeDefined();
  });

  it("bound what one person may ask for at once", async () => {
    const { id, agents } = await ladderWith("greedy", false, [
      ["a", ben],
      ["b", ben],
    ]);
    const asked = await Promise.all(
      Array.from({ length: 12 }, () => refusal(ben.client.matches.requestMatch({ ladderId: id, agentIds: agents }))),
    );
    expect(asked.filter((code) => code === "quota_exceeded")).toHaveLength(2);
  });
});

describe("replays", () => {
  it("that cannot be read take nobody's end of the match along", async () => {
    const { id } = await ladderWith("unread", false, [
      ["a", ann],
      ["b", ben],
    ]);
    const matchId = await waitingMatch(id);
    await end(matchId, [1, 2]);
    const { digest } = await server.app.store.put(Buffer.from("no replay"));
    const { db } = server.database;
    await db.updateTable("matches").set({ replay_blob: digest }).where("id", "=", matchId).execute();
    expect(await refusal(ann.client.replays.exportReplay({ matchId }))).toBe("conflict");
    const seen: string[] = [];
    for await (const { event } of ann.client.matches.watchMatch({ matchId }))
      seen.push(event.case === "match" ? event.value.state : String(event.case));
    expect(seen).toEqual(["ended"]);
  });

  it("are served to who may see the match, as text, document and page", async () => {
    const file = join(import.meta.dirname, "../../../../test/replays/tic-tac-toe.jsonl");
    const text = await readFile(file, "utf8");
    const { id } = await ladderWith("replays", false, [
      ["a", ann],
      ["b", ben],
    ]);
    const matchId = await waitingMatch(id);
    expect(await refusal(ann.client.replays.exportReplay({ matchId }))).toBe("not_found");
    await end(matchId, [1, 2], text);
    let whole = "";
    for await (const piece of ann.client.replays.getReplay({ matchId })) whole += piece.text;
    expect(whole).toBe(text);
    const { html } = await ben.client.replays.exportReplay({ matchId });
    expect(html).toContain("<!doctype html>");
    expect(await refusal(stranger.client.replays.exportReplay({ matchId }))).toBe("not_found");
    const get = (ending: string, token?: string) =>
      fetch(
        `${server.urls.http}/replays/${ending}`,
        token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
      );
    expect(await (await get(`${matchId}.jsonl`, ann.token)).text()).toBe(text);
    expect(((await (await get(`${matchId}.json`, ann.token)).json()) as { header: object }).header).toBeDefined();
    const page = await get(`${matchId}.html`, ann.token);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect((await get(`${matchId}.jsonl`)).status).toBe(401);
    expect((await get(`${matchId}.jsonl`, "nonsense")).status).toBe(401);
    expect((await get(`${matchId}.jsonl`, stranger.token)).status).toBe(404);
    for (const path of ["..%2f..%2fetc%2fpasswd.json", "x.html", `${matchId}`, `${matchId}.exe`])
      expect((await get(path, ann.token)).status).toBe(404);
  });
});

it("environments are anybody's to read", async () => {
  const anybody = server.client();
  const { environments } = await anybody.environments.listEnvironments({});
  expect(environments.map(({ id }) => id)).toContain("hex");
  const { environment } = await anybody.environments.getEnvironment({ id: "connect-four" });
  expect(environment).toMatchObject({ minSeats: 2, maxSeats: 2, actionSpace: "Discrete(7)" });
  expect(await refusal(anybody.environments.getEnvironment({ id: "chess" }))).toBe("not_found");
});
