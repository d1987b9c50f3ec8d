/** A worker against a real server: what it runs, what it says of it, and how it ends. */

import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { verifyReplay } from "@lanista/arena/replay-verify";
import { sha256 } from "@lanista/arena/sha256";
import { environments } from "@lanista/games/registry";
import { parseReplay } from "@lanista/games/replay";
import { cancelJob } from "@lanista/server/jobs/cancel";
import { matchResult } from "@lanista/server/jobs/payloads";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { soonest } from "../support/soonest.ts";
import { FIRST, PAUSES, slow, WorkerWorld } from "./support/worker-world.ts";

const HANG = "import time\ntime.sleep(3600)\n";

describe("a worker", () => {
  let world: WorkerWorld;
  let id: string;
  beforeAll(async () => {
    world = await WorkerWorld.open();
    ({ id } = await world.worker());
  });
  afterAll(() => world.close());

  test("says of a job what came out, each of three ways", async () => {
    const jobs = await Promise.all(
      (["completed", "agent_fault", "infra_fault"] as const).map((end) =>
        world.enqueue({ kind: "noop", payload: { seconds: 0, end }, maxAttempts: 1 }),
      ),
    );
    const ended = await Promise.all(jobs.map((job) => world.ended(job.id)));
    expect(ended.map(({ state, outcome }) => [state, outcome?.kind])).toEqual([
      ["ended", "completed"],
      ["ended", "agent_fault"],
      ["dead", "infra_fault"],
    ]);
  });

  test("plays a match whose replay runs again to the same end", async () => {
    const { id } = await world.match([FIRST, FIRST]);
    const job = await world.ended(id);
    expect(job.outcome).toEqual({ kind: "completed" });
    const result = matchResult.parse(job.result);
    expect(result.seats.map(({ score, rank, faults }) => [score, rank, faults])).toEqual([
      [1, 1, 0],
      [-1, 2, 0],
    ]);
    expect(result).toMatchObject({ episodes: 1, steps: 7, timedOut: false, sandbox: { tier: "container" } });
    const replay = parseReplay(await world.output(id, -1), sha256);
    expect(verifyReplay(replay, environments)).toMatchObject({ ok: true, hash: result.replayHash });
    expect(replay.header.seats.map((seat) => seat.digest)).toEqual(result.seats.map((seat) => seat.digest));
  });

  test("stores the replay with the end", async () => {
    const put: Buffer[] = [];
    const { store } = world.server.app;
    const before = new Set<string>();
    for await (const digest of store.list()) before.add(digest);
    const { id } = await world.match([FIRST, FIRST], { live: false, seed: "9" });
    const { result } = await world.ended(id);
    for await (const digest of store.list()) if (!before.has(digest)) put.push(Buffer.from(await store.get(digest)));
    const texts = put.filter((bytes) => bytes[0] === 0x1f).map((bytes) => gunzipSync(bytes).toString());
    expect(texts.map((text) => parseReplay(text, sha256).hash)).toEqual([matchResult.parse(result).replayHash]);
    expect(await world.output(id, -1)).toBe("");
  });

  test("hands over moves and logs while the match is played", async () => {
    const { id } = await world.match([PAUSES, FIRST]);
    await expect.poll(() => world.output(id, -1), { interval: 20 }).toMatch(/\{"a":\[0,null\]/);
    await expect.poll(() => world.output(id, 0), { interval: 20 }).toContain("thinking\n");
    expect((await world.job(id)).state).toBe("running");
    await world.ended(id);
    expect(await world.output(id, 0)).toBe("thinking\n".repeat(4));
  });

  test("tells an agent's fault, and whose", async () => {
    const crash = `${FIRST}\nraise RuntimeError("no today")\n`;
    const { outcome, result } = await world.ended((await world.match([FIRST, crash])).id);
    expect(outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "start" });
    expect(outcome?.detail).toContain("no today");
    const { seats } = matchResult.parse(result);
    expect(seats.map(({ rank, faultKinds }) => [rank, faultKinds])).toEqual([
      [1, {}],
      [2, { start: 1 }],
    ]);
    expect(seats[1]!.detail).toContain("no today");
  });

  test("holds a bundle that is no agent against who handed it in", async () => {
    const { digest } = await world.server.app.store.put(Buffer.from("this is no zip"));
    const good = await world.bundle(FIRST);
    const { id } = await world.match([FIRST, FIRST], {
      seats: [
        { name: "good", bundle: good },
        { name: "bad", bundle: digest },
      ],
    });
    const { outcome } = await world.ended(id);
    expect(outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "start" });
    expect(outcome?.detail).toContain("archive");
  });

  test("ends a match at its own time, and nobody has lost", async () => {
    const { id } = await world.match([slow(30), FIRST], { matchSeconds: 1.5, actSeconds: 60 });
    const { outcome, result } = await world.ended(id);
    expect(outcome?.kind).toBe("cancelled");
    expect(matchResult.parse(result)).toMatchObject({ timedOut: true, seats: [{ score: null }, { score: null }] });
  });

  test("ends an attempt that takes too long as a fault of ours", async () => {
    const { id } = await world.match([slow(30), FIRST], { actSeconds: 60 }, { timeoutSeconds: 1, maxAttempts: 1 });
    expect(await world.ended(id)).toMatchObject({ state: "dead", outcome: { kind: "infra_fault" } });
    const [attempt] = await world.attempts(id);
    expect(attempt!.outcome?.detail).toContain("more than 1 seconds");
  });

  test("says what it cannot do as a fault of ours", async () => {
    const bundle = await world.bundle(FIRST);
    const seats = [0, 1].map((seat) => ({ name: `agent ${seat}`, bundle }));
    for (const [more, words] of [
      [{ env: "no-such-game", seats }, "does not know the environment"],
      [{ tier: "gvisor", seats }, "does not offer the tier"],
      [{ seats: seats.slice(1) }, "2 seats"],
    ] as const) {
      const { id } = await world.match([], { ...more, seats: [...more.seats] }, { tier: "", maxAttempts: 1 });
      const { state, outcome } = await world.ended(id);
      expect([state, outcome?.kind, outcome?.detail]).toEqual(["dead", "infra_fault", expect.stringContaining(words)]);
    }
  });

  test("stops the boxes of a cancelled job within a second", async () => {
    const worker = await world.worker({ queues: ["private"] });
    const { app } = world.server;
    const cancelled = async (): Promise<number> => {
      const { id } = await world.match([slow(60), slow(60)], { actSeconds: 90 }, { queue: "private" });
      await expect.poll(() => world.output(id, 0), { interval: 20 }).toContain("thinking");
      expect(worker.state()).toMatchObject({ running: 1, sandboxes: 2 });
      const began = performance.now();
      await app.db.transaction().execute((tx) => cancelJob(app, tx, id, "changed my mind"));
      await expect.poll(() => worker.state().sandboxes, { interval: 5 }).toBe(0);
      const took = performance.now() - began;
      await expect.poll(() => worker.state().running).toBe(0);
      expect(await world.job(id)).toMatchObject({ state: "ended", outcome: { kind: "cancelled" } });
      return took;
    };
    expect(await soonest(1000, cancelled)).toBeLessThan(1000);
    await worker.stop();
  }, 120_000);

  test("validates an agent", async () => {
    const validate = async (script: string) => {
      const payload = {
        env: "tic-tac-toe",
        options: {},
        bundle: await world.bundle(script),
        tier: "container",
        limits: {},
        startSeconds: 6,
        actSeconds: 3,
        policy: null,
      };
      return await world.ended((await world.enqueue({ kind: "validate", payload })).id);
    };
    expect(await validate(FIRST)).toMatchObject({
      outcome: { kind: "completed" },
      result: { valid: true, errors: [] },
    });
    const hanging = await validate(HANG);
    expect(hanging).toMatchObject({ outcome: { kind: "completed" }, result: { valid: false } });
    const broken = await validate("class Agent:\n    def act(self\n");
    expect(JSON.stringify(broken.result)).toContain("agent.py:2");
  });

  test("says what it is, what it can enforce and what it has free", async () => {
    const workers = world.database.db.selectFrom("workers").selectAll();
    const row = await workers.where("id", "=", id).executeTakeFirstOrThrow();
    const kinds = ["match", "validate", "grade", "task_check", "compare", "env_check", "noop"];
    expect(row).toMatchObject({ queues: ["default"], kinds, concurrency: 4 });
    expect(row.total.cpus).toBeGreaterThan(0);
    expect(row.free.memoryBytes).toBeGreaterThan(0);
    expect(JSON.stringify(row.tiers)).toContain('"tier":"container"');
    expect(JSON.stringify(row.tiers)).not.toContain('"none"');
  });
});

describe("a worker's end", () => {
  let world: WorkerWorld;
  beforeAll(async () => {
    world = await WorkerWorld.open();
  });
  afterEach(async () => {
    const left = await world.database.db
      .selectFrom("jobs")
      .select("id")
      .where("state", "in", ["waiting", "running"])
      .execute();
    const { app } = world.server;
    for (const { id } of left) await app.db.transaction().execute((tx) => cancelJob(app, tx, id, "the test is over"));
  });
  afterAll(() => world.close());

  test("drained, it finishes what it has and takes no more", async () => {
    const worker = await world.worker({ concurrency: 2 });
    const first = await world.noop(4);
    await world.running(first.id);
    const drained = worker.drain(30);
    // A call that asked for jobs before may still bring some.
    await sleep(2000);
    const second = await world.noop();
    await drained;
    await worker.done;
    expect(await world.job(first.id)).toMatchObject({ state: "ended", outcome: { kind: "completed" }, attempt: 1 });
    expect((await world.job(second.id)).state).toBe("waiting");
  });

  test("drained for too long, it stops, and the job is tried again at once", async () => {
    const worker = await world.worker();
    const { id } = await world.match([slow(60), FIRST], { actSeconds: 90 });
    await expect.poll(() => world.output(id, 0), { interval: 20 }).toContain("thinking");
    const began = performance.now();
    await worker.drain(0.3);
    await worker.done;
    expect(performance.now() - began).toBeLessThan(30_000);
    const [attempt] = await world.attempts(id);
    expect(attempt!.outcome).toMatchObject({ kind: "infra_fault", fault: "worker_stopped" });
    expect((await world.job(id)).state).toBe("waiting");
  });

  test("drained by the server, it stays, and takes jobs again when it may", async () => {
    const worker = await world.worker();
    await expect.poll(() => worker.state().attended).toBe(true);
    const { app } = world.server;
    const drain = (draining: boolean) =>
      app.db.transaction().execute(async (tx) => {
        await tx.updateTable("workers").set({ draining }).where("id", "=", worker.id).execute();
        await app.events.publish(tx, `worker:${worker.id}`);
      });
    await drain(true);
    await expect.poll(() => worker.state().draining).toBe(true);
    const { id } = await world.noop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await world.job(id)).state).toBe("waiting");
    await drain(false);
    await world.ended(id);
    await worker.stop();
  });

  test("whose token is refused ends by itself, and says so", async () => {
    const worker = await world.worker({ token: "lan_nobody" });
    await expect(worker.done).rejects.toMatchObject({ name: "LanistaError", code: "unauthenticated" });
  });

  test("paused while its queue keeps more free than there is, it resumes after", async () => {
    const { app } = world.server;
    const keep = (keepFree: object) =>
      app.db.transaction().execute(async (tx) => {
        await tx
          .updateTable("queues")
          .set({ keep_free: JSON.stringify(keepFree) })
          .where("name", "=", "gpu")
          .execute();
        await app.events.publish(tx, "queues");
      });
    await keep({ memoryBytes: 2 ** 50 });
    const worker = await world.worker({ queues: ["gpu"] });
    await expect.poll(() => worker.state().paused).toContain("the queue gpu keeps");
    const { id } = await world.noop(0, { queue: "gpu" });
    const told = () =>
      world.database.db.selectFrom("workers").select("paused").where("id", "=", worker.id).executeTakeFirst();
    await expect.poll(told).toMatchObject({ paused: expect.stringContaining("GiB of memory") });
    expect((await world.job(id)).state).toBe("waiting");
    await keep({});
    await world.ended(id);
    await expect.poll(told).toMatchObject({ paused: "" });
    await worker.stop();
  });

  test("several workers do each job once", async () => {
    const workers = await Promise.all([world.worker({ concurrency: 3 }), world.worker({ concurrency: 3 })]);
    const jobs = await Promise.all(Array.from({ length: 60 }, () => world.noop()));
    for (const { id } of jobs)
      expect(await world.ended(id)).toMatchObject({ outcome: { kind: "completed" }, attempt: 1 });
    for (const worker of workers) await worker.stop();
  });
});
