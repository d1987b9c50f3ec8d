/** RL Arena's executor, by a client that grpcio-tools made of its messages: each kind of agent, each field, each end. */
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cancelJob } from "@lanista/server/jobs/cancel";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  CHEAT,
  CRASH,
  HANG,
  HANG_AT_IMPORT,
  LEFTMOST,
  lateAtFirst,
  PONG,
  RAISES,
  RIGHTMOST,
  STILL,
  slow,
} from "../clients/python/executor/agents.ts";
import {
  executorPackages,
  type MatchResponse,
  PythonClient,
  RpcFailed,
} from "../clients/python/executor/python-client.ts";
import { soonest } from "../support/soonest.ts";
import { ExecutorWorld, killRuntimes, processesNamed } from "./support/executor-world.ts";

const venv = executorPackages();

describe.skipIf(venv === null)("the executor", () => {
  let arena: ExecutorWorld;
  beforeAll(async () => {
    arena = await ExecutorWorld.open(venv!, {
      limits: "resource_limits: {step_timeout_sec: 0.3, init_timeout_sec: 5, match_timeout_sec: 60}\n",
      flags: { "executor.maxConcurrent": "2", "executor.maxWaiting": "3" },
    });
  });
  afterAll(() => arena?.close());

  describe("plays", () => {
    test("pong, and every field is right", async () => {
      const request = arena.request({ agents: [STILL, PONG], id: "m/7", replay: true });
      const began = performance.now();
      const answer = await arena.client.call<MatchResponse>("RunMatch", request);
      const seconds = (performance.now() - began) / 1000;
      expect(Object.keys(answer).sort()).toEqual(
        [
          "agent_results",
          "error_message",
          "execution_time_sec",
          "match_id",
          "replay_html_url",
          "replay_url",
          "status",
          "total_steps",
          "winner_agent_id",
        ].sort(),
      );
      expect(answer).toMatchObject({ match_id: "m/7", status: "STATUS_SUCCESS", error_message: "" });
      const [still, pong] = answer.agent_results;
      expect(still).toEqual({ agent_id: "agent-a", score: -pong!.score, errors: 0, error_message: "" });
      expect(pong).toEqual({ agent_id: "agent-b", score: pong!.score, errors: 0, error_message: "" });
      expect(answer.winner_agent_id).toBe(pong!.score > 0 ? "agent-b" : pong!.score < 0 ? "agent-a" : "");
      expect(answer.total_steps).toBeGreaterThan(10);
      expect(answer.execution_time_sec).toBeGreaterThan(0);
      expect(answer.execution_time_sec).toBeLessThan(seconds);

      const replay = await arena.replay(answer.replay_url);
      expect(replay).toMatchObject({
        metadata: {
          match_id: "m/7",
          environment: "pong",
          agents: [
            { agent_id: "agent-a", version: "1" },
            { agent_id: "agent-b", version: "1" },
          ],
          total_steps: answer.total_steps,
          winner: answer.winner_agent_id || null,
          status: "completed",
        },
        version: "1.0",
        statistics: { total_frames: answer.total_steps, agent_stats: { "agent-b": { total_reward: pong!.score } } },
      });
      expect(replay.frames).toHaveLength(answer.total_steps);
      const page = await arena.fetch(answer.replay_html_url);
      expect(page.headers.get("content-type")).toContain("text/html");
      expect(await page.text()).toContain("agent-b");
    });

    test("connect-four, under the name its users may write", async () => {
      const answer = await arena.play({ env: "connect_four", agents: [LEFTMOST, RIGHTMOST] });
      expect(answer).toMatchObject({
        status: "STATUS_SUCCESS",
        winner_agent_id: "agent-a",
        total_steps: 7,
        agent_results: [
          { score: 1, errors: 0 },
          { score: -1, errors: 0 },
        ],
        replay_url: "",
        replay_html_url: "",
      });
    });

    test("connect-four to a draw or a win of whoever the random moves favour, when one cheats at every move", async () => {
      const answer = await arena.play({ env: "connect-four", agents: [LEFTMOST, CHEAT] });
      const [good, cheat] = answer.agent_results;
      expect(answer.status).toBe("STATUS_SUCCESS");
      expect(good).toMatchObject({ errors: 0, error_message: "" });
      expect(cheat!.errors).toBe(Math.floor(answer.total_steps / 2));
      expect(cheat!.error_message).toContain("99");
      expect(answer.winner_agent_id).toBe({ "1": "agent-a", "-1": "agent-b", "0": "" }[String(good!.score)]);
    });

    test("pong against a cheat, whose actions are replaced and counted", async () => {
      const answer = await arena.play({ agents: [PONG, CHEAT], replay: true });
      expect(answer.status).toBe("STATUS_SUCCESS");
      expect(answer.agent_results[1]).toMatchObject({ errors: answer.total_steps });
      const { frames, statistics } = await arena.replay(answer.replay_url);
      expect(frames[0]!.info.faults).toEqual({ "agent-b": "illegal_action" });
      expect([0, 1, 2]).toContain(frames[0]!.actions["agent-b"]);
      expect(statistics.agent_stats["agent-b"]!.errors).toBe(answer.total_steps);
    });

    test("on after a move that comes too late, which is replaced and counted", async () => {
      const answer = await arena.play({ agents: [lateAtFirst(0.45), STILL], replay: true });
      expect(answer.status).toBe("STATUS_SUCCESS");
      expect(answer.total_steps).toBeGreaterThan(10);
      expect(answer.agent_results[0]).toMatchObject({ errors: 1 });
      expect(answer.agent_results[0]!.error_message).toContain("300 ms");
      const { frames } = await arena.replay(answer.replay_url);
      expect(frames[0]!.info.faults).toEqual({ "agent-a": "timeout" });
      expect([0, 1, 2]).toContain(frames[0]!.actions["agent-a"]);
      // What it said too late is not taken for the answer to the next question, and that one is its own.
      expect(frames.slice(1).map(({ actions }) => actions["agent-a"])).toEqual(frames.slice(1).map(() => 0));
    });

    test("on against one that raises each time", async () => {
      const answer = await arena.play({ agents: [PONG, RAISES] });
      expect(answer.status).toBe("STATUS_SUCCESS");
      expect(answer.agent_results[1]!.errors).toBe(answer.total_steps);
      expect(answer.agent_results[1]!.error_message).toContain("no idea");
    });
  });

  describe("ends as a success for the other, when an agent", () => {
    test("crashes", async () => {
      const answer = await arena.play({ agents: [CRASH, PONG] });
      expect(answer).toMatchObject({
        status: "STATUS_SUCCESS",
        winner_agent_id: "agent-b",
        error_message: "",
        total_steps: 3,
        agent_results: [
          { score: -11, errors: 1 },
          { score: 11, errors: 0, error_message: "" },
        ],
      });
      expect(answer.agent_results[0]!.error_message).toContain("ended with status 3");
    });

    test.each([
      ["hangs at each move", HANG],
      ["hangs at import", HANG_AT_IMPORT],
    ])("%s, well before the match's own deadline", async (_, script) => {
      // No game of pong is over before: whom random moves made win in the meantime would have won.
      const answer = await arena.play({ agents: [PONG, script], timeoutSec: 30 });
      expect(answer).toMatchObject({ status: "STATUS_SUCCESS", winner_agent_id: "agent-a" });
      expect(answer.agent_results[1]!.errors).toBeGreaterThan(0);
      expect(answer.agent_results[1]!.error_message).not.toBe("");
      expect(answer.execution_time_sec).toBeLessThan(30);
    });

    test("brings nothing that can be started", async () => {
      const request = arena.request({ agents: [PONG, PONG] }) as { agents: { code_url: string }[] };
      unlinkSync(join(request.agents[0]!.code_url, "agent.py"));
      const answer = await arena.client.call<MatchResponse>("RunMatch", request);
      expect(answer).toMatchObject({ status: "STATUS_SUCCESS", winner_agent_id: "agent-b" });
      expect(answer.agent_results[0]!.error_message).toContain("no files");
    });
  });

  test("ends by its own deadline as a timeout, without a winner, when both are slow and lawful", async () => {
    const answer = await arena.play({ agents: [slow(0.15), slow(0.15)], timeoutSec: 16, replay: true });
    expect(answer).toMatchObject({
      status: "STATUS_TIMEOUT",
      winner_agent_id: "",
      agent_results: [
        { score: 0, errors: 0 },
        { score: 0, errors: 0 },
      ],
    });
    expect(answer.error_message).toContain("16 seconds");
    expect(answer.execution_time_sec).toBeGreaterThanOrEqual(15.9);
    expect((await arena.replay(answer.replay_url)).metadata).toMatchObject({
      status: "timeout",
      winner: null,
    });
  });

  test("names who drew it out, when its own deadline ends a match", async () => {
    const answer = await arena.play({ agents: [slow(0.1), STILL], timeoutSec: 8 });
    expect(answer).toMatchObject({
      status: "STATUS_TIMEOUT",
      winner_agent_id: "",
      agent_results: [
        {
          score: 0,
          errors: 0,
          error_message: expect.stringMatching(/^its answers took [0-9.]+ of the match's 8 seconds/),
        },
        { score: 0, errors: 0, error_message: "" },
      ],
    });
  });

  test("says that a match was cancelled", async () => {
    const { answer } = arena.start({ agents: [slow(0.2), slow(0.2)], id: "to-cancel" });
    const { app } = arena.world.server;
    await expect.poll(() => arena.running()).toBe(1);
    const job = await app.db
      .selectFrom("jobs")
      .select("id")
      .where("queue", "=", "executor")
      .where("state", "=", "running")
      .executeTakeFirstOrThrow();
    await app.db.transaction().execute((tx) => cancelJob(app, tx, job.id, "by hand"));
    expect(await answer).toMatchObject({ status: "STATUS_CANCELLED", winner_agent_id: "", error_message: "by hand" });
  });

  test("says that a fault of ours is one, and nobody's loss", async () => {
    const { app } = arena.world.server;
    await app.db.updateTable("queues").set({ paused: true }).where("name", "=", "executor").execute();
    const { answer } = arena.start({ agents: [`${PONG}# lost\n`, PONG] });
    const bundle = async (): Promise<string | undefined> => {
      const row = await app.db
        .selectFrom("jobs")
        .select("payload")
        .where("queue", "=", "executor")
        .where("state", "=", "waiting")
        .executeTakeFirst();
      return (row?.payload as { seats: { bundle: string }[] } | undefined)?.seats[0]?.bundle;
    };
    await expect.poll(bundle).toBeDefined();
    await app.store.delete((await bundle())!);
    await app.db.transaction().execute(async (tx) => {
      await tx.updateTable("queues").set({ paused: false }).where("name", "=", "executor").execute();
      await app.events.publish(tx, "queues", "queue:executor");
    });
    expect(await answer).toMatchObject({
      status: "STATUS_ERROR",
      winner_agent_id: "",
      agent_results: [
        { score: 0, errors: 0 },
        { score: 0, errors: 0 },
      ],
    });
  });

  describe("when a box's runtime is killed", () => {
    test("once, the match is played again and counts", async () => {
      const { answer } = arena.start({ agents: [slow(0.005, "lanista-once"), STILL], id: "killed-once" });
      await expect.poll(() => killRuntimes("lanista-once"), { interval: 10 }).toBeGreaterThan(0);
      expect(await answer).toMatchObject({
        status: "STATUS_SUCCESS",
        agent_results: [{ errors: 0, error_message: "" }, { errors: 0 }],
      });
    });

    test("each time, as an agent would that knows how, it is nobody's win", async () => {
      let over = false;
      let killed = 0;
      const { answer } = arena.start({ agents: [slow(0.02, "lanista-each"), STILL], id: "killed-each" });
      const ended = answer.finally(() => {
        over = true;
      });
      while (!over) {
        killed += killRuntimes("lanista-each");
        await sleep(20);
      }
      expect(killed).toBeGreaterThanOrEqual(3);
      expect(await ended).toMatchObject({
        status: "STATUS_ERROR",
        winner_agent_id: "",
        agent_results: [{ score: 0 }, { score: 0 }],
      });
    });
  });

  describe("when the caller goes away", () => {
    const NAME = "lanista-dropped";
    const agents = [slow(0.25, NAME), slow(0.25, NAME)];

    async function gone(): Promise<number> {
      const began = performance.now();
      while (processesNamed(NAME) > 0 || (await arena.running()) > 0) {
        if (performance.now() - began > 10_000) throw new Error("the match goes on");
        await sleep(10);
      }
      return performance.now() - began;
    }

    /** Milliseconds from the caller's end to the match's. */
    async function stopped(how: string, id: string): Promise<number> {
      const client = new PythonClient(venv!, arena.world.server.urls.grpc!);
      try {
        const timeout = how === "had a deadline" ? { timeout: 15 } : {};
        const call = client.start<MatchResponse>("RunMatch", arena.request({ agents, id }), timeout);
        const failed = call.answer.catch((error: unknown) => error);
        await expect.poll(() => processesNamed(NAME), { timeout: 14_500, interval: 20 }).toBe(2);
        if (how === "drops the call") call.drop();
        if (how === "dies") client.kill();
        const error = await failed;
        if (how !== "dies")
          expect(error).toMatchObject({ code: how === "drops the call" ? "CANCELLED" : "DEADLINE_EXCEEDED" });
        const milliseconds = await gone();
        const match = await arena.world.database.db
          .selectFrom("executor_matches as e")
          .innerJoin("matches as m", "m.id", "e.match_id")
          .select(["m.outcome", "m.state"])
          .where("e.external_id", "=", id)
          .executeTakeFirstOrThrow();
        expect(match).toMatchObject({ state: "ended", outcome: { kind: "cancelled" } });
        return milliseconds;
      } finally {
        await client.close();
      }
    }

    test.each(["drops the call", "dies", "had a deadline"])(
      "because it %s, the match stops within a second",
      async (how) => {
        expect(await soonest(1000, (attempt) => stopped(how, `${how} ${attempt}`))).toBeLessThan(1000);
      },
      120_000,
    );

    test("while it waits, it never starts", async () => {
      const busy = [1, 2].map(() => arena.start({ agents: [slow(0.25), slow(0.25)] }));
      await expect.poll(() => arena.running()).toBe(2);
      const waiting = arena.start({ agents, id: "never" });
      const answers = Promise.allSettled([...busy, waiting].map(({ answer }) => answer));
      const state = async () =>
        (
          await arena.world.database.db
            .selectFrom("executor_matches as e")
            .innerJoin("matches as m", "m.id", "e.match_id")
            .select("m.state")
            .where("e.external_id", "=", "never")
            .executeTakeFirst()
        )?.state;
      await expect.poll(state).toBe("waiting");
      waiting.drop();
      await expect.poll(state).toBe("ended");
      for (const { drop } of busy) drop();
      await answers;
      await expect.poll(() => arena.running()).toBe(0);
    });

    test("others who wait for the same match keep it", async () => {
      const request = arena.request({ agents: [slow(0.004), slow(0.004)], id: "shared", timeoutSec: 60 });
      const first = arena.client.start<MatchResponse>("RunMatch", request);
      const failed = first.answer.catch((error: unknown) => error);
      await expect.poll(() => arena.running()).toBe(1);
      const second = arena.client.start<MatchResponse>("RunMatch", request);
      await sleep(200);
      first.drop();
      expect(await failed).toBeInstanceOf(RpcFailed);
      expect(await second.answer).toMatchObject({ status: "STATUS_SUCCESS" });
    });
  });

  describe("asked again", () => {
    test("with the same request while it plays and after, it is the same match", async () => {
      const request = arena.request({ agents: [slow(0.002), STILL], id: "again", replay: true });
      const [one, two] = await Promise.all([1, 2].map(() => arena.client.call<MatchResponse>("RunMatch", request)));
      expect(one!.replay_url).not.toBe("");
      expect(two).toEqual(one);
      expect(await arena.client.call("RunMatch", request)).toEqual(one);
    });

    test("with other agents, it is refused while it plays, and another match after", async () => {
      const id = "other";
      const first = arena.start({ agents: [slow(0.003), STILL], id, replay: true });
      await expect.poll(() => arena.running()).toBe(1);
      const refused = await arena.play({ agents: [PONG, STILL], id });
      expect(refused.status).toBe("STATUS_ERROR");
      expect(refused.error_message).toContain("is being played");
      const one = await first.answer;
      const two = await arena.play({ agents: [PONG, STILL], id, replay: true });
      expect(two.status).toBe("STATUS_SUCCESS");
      expect(two.replay_url).not.toBe(one.replay_url);
    });
  });

  test("plays two at once, lets three wait, and refuses more", async () => {
    const calls = Array.from({ length: 6 }, () => arena.start({ agents: [slow(0.2), slow(0.2)] }));
    const refused = await Promise.race(calls.map(({ answer }) => answer));
    expect(refused).toMatchObject({ status: "STATUS_ERROR", error_message: expect.stringContaining("2 matches run") });
    await expect.poll(() => arena.running()).toBe(2);
    expect(await arena.client.call("HealthCheck", {})).toMatchObject({ healthy: true, active_matches: 2 });
    await sleep(500);
    expect(await arena.running()).toBe(2);
    const ends = Promise.allSettled(calls.map(({ answer }) => answer));
    for (const { drop } of calls) drop();
    await ends;
    await expect.poll(() => arena.running()).toBe(0);
  });

  test("answers requests that make no sense by STATUS_ERROR with a sentence, and plays nothing", async () => {
    const good = arena.request({ agents: [PONG, STILL], id: "bad" }) as { agents: Record<string, unknown>[] };
    const [a, b] = good.agents;
    const count = async () =>
      (
        await arena.world.database.db
          .selectFrom("matches")
          .select((eb) => eb.fn.countAll<number>().as("n"))
          .executeTakeFirstOrThrow()
      ).n;
    const before = await count();
    const table: [object, string][] = [
      [{ environment: "chess" }, "no environment"],
      [{ environment: "" }, "no environment"],
      [{ environment: "__proto__" }, "no environment"],
      [{ match_id: "" }, "match_id"],
      [{ match_id: "m".repeat(201) }, "match_id"],
      [{ agents: [] }, "2 seats"],
      [{ agents: [a] }, "2 seats"],
      [{ agents: [a, b, { ...b, agent_id: "c" }] }, "2 seats"],
      [{ agents: [a, { ...b, agent_id: "agent-a" }] }, "twice"],
      [{ agents: [a, { ...b, agent_id: "" }] }, "agent_id"],
      [{ agents: [a, { ...b, code_url: "" }] }, "agent-b: neither"],
      [{ agents: [a, { ...b, code_url: "/etc/passwd" }] }, "agent-b: there is no code"],
      [{ agents: [a, { ...b, code_url: "file:///etc" }] }, "agent-b: there is no code"],
      [{ agents: [a, { ...b, code_url: "http://127.0.0.1:1/x.zip" }] }, "agent-b: http://127.0.0.1:1/x.zip"],
      [{ agents: [a, { ...b, code_url: "http://169.254.169.254/latest" }] }, "agent-b: http://169.254.169.254"],
      [{ agents: [a, { ...b, code_url: "", docker_image: "-v /:/host" }] }, "agent-b: neither"],
    ];
    for (const [change, words] of table) {
      const answer = await arena.client.call<MatchResponse>("RunMatch", { ...good, ...change });
      expect(answer.status, JSON.stringify(change)).toBe("STATUS_ERROR");
      expect(answer.error_message).toContain(words);
      expect(answer).toMatchObject({ winner_agent_id: "", total_steps: 0, replay_url: "" });
    }
    expect(await count()).toBe(before);
  });

  test("keeps what is no replay of the executor's to itself", async () => {
    const { url } = arena.world;
    const { replay_url } = await arena.play({ agents: [PONG, STILL], replay: true });
    const hidden = await arena.play({ agents: [PONG, STILL] });
    expect(hidden.replay_url).toBe("");
    const rows = await arena.world.database.db
      .selectFrom("executor_matches")
      .select("match_id")
      .where("record_replay", "=", false)
      .execute();
    const paths = [
      "x.json",
      "../healthz",
      "%2e%2e/%2e%2e/etc/passwd",
      `${crypto.randomUUID()}.json`,
      `${rows[0]!.match_id}.json`,
      `${new URL(replay_url).pathname.split("/").at(-1)!}x`,
    ];
    for (const path of paths) expect((await fetch(`${url}/executor/replays/${path}`)).status, path).toBe(404);
  });

  test("is healthy while a worker lives that takes its matches, as gRPC's own health service says of the server", async () => {
    expect(await arena.client.call("HealthCheck", {})).toMatchObject({ healthy: true, active_matches: 0 });
    for (const service of ["", "executor.Executor"])
      expect(await arena.client.call("grpc.health.v1", { service })).toEqual({ status: "SERVING" });
  });
});

describe.skipIf(venv === null)("an executor without workers, that wants tokens", () => {
  let arena: ExecutorWorld;
  beforeAll(async () => {
    const flags = { "executor.requireToken": "true", "limits.ratePerMinute": "2" };
    arena = await ExecutorWorld.open(venv!, { flags, concurrency: 0 });
  });
  afterAll(() => arena?.close());

  test("is not healthy", async () => {
    const health = await arena.client.call<{ version: string }>("HealthCheck", {});
    expect(health).toMatchObject({ healthy: false, active_matches: 0 });
    expect(health.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("counts no calls: one backend asks for all of its users", async () => {
    for (let call = 0; call < 10; call++) await arena.client.call("HealthCheck", {});
  });

  test("refuses calls without one, and with a worker's", async () => {
    const request = arena.request({ agents: [PONG, STILL] });
    await expect(arena.client.call("RunMatch", request)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await expect(arena.client.call("RunMatch", request, { token: "lan_wrong" })).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
    });
    const token = arena.world.token;
    await expect(arena.client.call("RunMatch", request, { token })).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
    });
    await expect(arena.client.call("ValidateAgent", {}, { token })).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
    });
  });
});
