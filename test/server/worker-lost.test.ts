/** Workers that die, or whose network is cut: no job is lost, and none is done twice in its effects. */
import { existsSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CutProxy } from "./support/cut-proxy.ts";
import { descendants } from "./support/kept-process.ts";
import {
  FIRST,
  killed,
  LEASE,
  SHORT_LEASE,
  slow,
  spawnCommand,
  startTestServer,
  WorkerWorld,
} from "./support/worker-world.ts";

let world: WorkerWorld;
// A test that failed leaves no worker that takes the next one's jobs.
afterEach(() => world.stopAll());

async function throughProxy(): Promise<CutProxy> {
  const proxy = await CutProxy.open(world.url);
  world.release(() => proxy.close());
  return proxy;
}

describe("when a lease ends", () => {
  beforeAll(async () => {
    world = await WorkerWorld.open(SHORT_LEASE);
  });
  afterAll(() => world.close());

  test("cut for longer than its lease, a worker goes on; its late report is refused, the job was done elsewhere", async () => {
    const proxy = await throughProxy();
    const away = await world.worker({ server: proxy.url, name: "away" });
    const { id } = await world.noop(5);
    // Leased is not yet heard of: a cut in between would leave it without the job.
    await expect.poll(() => away.state().running).toBe(1);
    proxy.cut();
    const other = await world.worker({ name: "other" });
    const taken = await world.until(id, (job) => job.attempt === 2);
    expect(taken.worker_id).toBe(other.id);
    // Its own run is over by now, or soon, and waits for the server.
    await expect.poll(() => away.state()).toMatchObject({ running: 0, reporting: 1 });
    proxy.mend();
    await expect.poll(() => away.state().reporting).toBe(0);
    const job = await world.ended(id);
    expect(job).toMatchObject({ outcome: { kind: "completed" }, attempt: 2 });
    const attempts = await world.attempts(id);
    expect(attempts.map(({ worker_name, outcome }) => [worker_name, outcome?.kind])).toEqual([
      ["away", "infra_fault"],
      ["other", "completed"],
    ]);
    await away.stop();
    await other.stop();
  });

  test("connections that are reset all the time lose and double nothing", async () => {
    const proxy = await throughProxy();
    const worker = await world.worker({ server: proxy.url, concurrency: 8 });
    const jobs = await Promise.all(Array.from({ length: 40 }, (_, i) => world.noop((i % 4) / 10, { maxAttempts: 20 })));
    // Ever further apart: a slow host, too, gets something through between two of them.
    let pause = 150;
    let resets: NodeJS.Timeout;
    const reset = (): void => {
      proxy.reset();
      pause *= 1.05;
      resets = setTimeout(reset, pause);
    };
    resets = setTimeout(reset, pause);
    try {
      for (const { id } of jobs) expect((await world.ended(id, 60_000)).outcome?.kind).toBe("completed");
    } finally {
      clearTimeout(resets);
    }
    await worker.stop();
  }, 180_000);

  test("a worker that lost its lease kills the boxes as soon as it hears of it", async () => {
    const proxy = await throughProxy();
    const worker = await world.worker({ server: proxy.url, concurrency: 1 });
    const { id } = await world.match([slow(60), FIRST], { actSeconds: 90 }, { maxAttempts: 1 });
    await expect.poll(() => world.output(id, 0), { interval: 20 }).toContain("thinking");
    proxy.cut();
    expect(await world.ended(id)).toMatchObject({ state: "dead", outcome: { kind: "infra_fault" } });
    expect(worker.state().sandboxes).toBe(2);
    proxy.mend();
    await expect.poll(() => worker.state().sandboxes).toBe(0);
    await worker.stop();
  });

  test("killed, a worker takes its boxes with it, and its match is played by another", async () => {
    const child = world.program("--name", "victim", "--concurrency", "1");
    const { id } = await world.match([slow(0.5), FIRST]);
    await expect.poll(() => world.output(id, -1), { timeout: 60_000, interval: 20 }).toContain('{"a":[0,null]');
    const boxes = descendants(child.pid!).map(({ pid }) => pid);
    expect(boxes.length).toBeGreaterThan(0);
    await killed(child);
    await expect.poll(() => boxes.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    const other = await world.worker();
    const job = await world.ended(id, 30_000);
    expect(job).toMatchObject({ state: "ended", outcome: { kind: "completed" }, attempt: 2 });
    expect((await world.attempts(id)).map(({ worker_name, outcome }) => [worker_name, outcome?.kind])).toEqual([
      ["victim", "infra_fault"],
      [expect.any(String), "completed"],
    ]);
    await other.stop();
  }, 180_000);
});

describe("while leases last", () => {
  beforeAll(async () => {
    world = await WorkerWorld.open();
  });
  afterAll(() => world.close());

  test("cut for less than its lease, a worker keeps its job", async () => {
    const proxy = await throughProxy();
    const worker = await world.worker({ server: proxy.url });
    const { id } = await world.noop(3);
    await expect.poll(() => worker.state().running).toBe(1);
    proxy.cut();
    await new Promise((resolve) => setTimeout(resolve, 700));
    proxy.mend();
    expect(await world.ended(id)).toMatchObject({ outcome: { kind: "completed" }, attempt: 1 });
    await worker.stop();
  });

  test("a program drains at the first signal and stops at the second", async () => {
    const child = world.program("--name", "service", "--drain-seconds", "60");
    const { id } = await world.match([slow(60), FIRST], { actSeconds: 90 });
    await expect.poll(() => world.output(id, 0), { timeout: 60_000, interval: 20 }).toContain("thinking");
    child.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(child.exitCode).toBeNull();
    expect((await world.job(id)).state).toBe("running");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    expect(await ended).toBe(143);
    const [attempt] = await world.attempts(id);
    expect(attempt!.outcome).toMatchObject({ kind: "infra_fault", fault: "worker_stopped" });
  }, 180_000);

  test("a worker that was started beside a server ends when that is gone", async () => {
    const { LANISTA_TEST_LOG: log = "error" } = process.env;
    // A shell in between is the parent; it waits for us, and its child's standard input is its own.
    const words = ["worker", "--with-parent", "--server", world.url, "--log-level", log === "silent" ? "error" : log];
    const child = spawnCommand(words, { LANISTA_TOKEN: world.token }, "pipe");
    world.release(() => killed(child));
    const live = () =>
      world.database.db
        .selectFrom("workers")
        .select("id")
        .where("version", "!=", "test")
        .where("seen_at", ">", new Date(Date.now() - 2000))
        .execute();
    await expect.poll(live, { timeout: 60_000 }).not.toEqual([]);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.stdin!.end();
    expect(await ended).toBe(0);
  }, 180_000);

  test("two servers on one database and workers of each do every job once, and one server may die", async () => {
    const second = await startTestServer(world.database.url, LEASE);
    let closed = false;
    try {
      const workers = [
        await world.worker({ concurrency: 3, name: "of the first" }),
        await world.worker({ concurrency: 3, name: "of the second", server: second.urls.http }),
      ];
      const jobs = await Promise.all(Array.from({ length: 30 }, (_, i) => world.noop((i % 3) / 5)));
      for (const { id } of jobs)
        expect(await world.ended(id)).toMatchObject({ outcome: { kind: "completed" }, attempt: 1 });
      const names = await world.database.db.selectFrom("attempts").select("worker_name").distinct().execute();
      expect(names.map((row) => row.worker_name)).toEqual(expect.arrayContaining(["of the first", "of the second"]));
      const long = await Promise.all([world.noop(1), world.noop(1), world.noop(1), world.noop(1)]);
      for (const { id } of long) await world.running(id);
      await second.close();
      closed = true;
      for (const { id } of long) expect((await world.ended(id, 45_000)).outcome?.kind).toBe("completed");
      for (const worker of workers) await worker.abandon();
    } finally {
      if (!closed) await second.close();
    }
  }, 120_000);
});
