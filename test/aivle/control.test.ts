/**
 * What Celery's own publisher and control ask of a worker beside plain tasks: times to begin, times to give up, and jobs that
 * the site's people look at and end. Against a real RabbitMQ that takes messages back after 3 seconds.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hasRabbitMq, type RabbitMq, startRabbitMq } from "@lanista/server/testing/rabbitmq";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from "vitest";
import { pythonPackages } from "../server/python.ts";
import { CelerySite, type PublishOptions } from "./support/celery.ts";
import { type SiteJob, StandInSite } from "./support/site.ts";
import { WorkerProcess } from "./support/worker-process.ts";

const venv = pythonPackages(join(import.meta.dirname, "requirements.txt"));
const here = venv !== null && (hasRabbitMq() || process.env.CI !== undefined);
/** A test ends such a job: it would take a minute. */
const LONG = 60_000;

describe.runIf(here)("aiVLE's worker, by its messages' times and by remote control,", () => {
  const dir = mkdtempSync(join(tmpdir(), "lanista-aivle-control-"));
  const site = new StandInSite();
  let broker: RabbitMq;
  let celery: CelerySite;
  let worker: WorkerProcess;
  let lastJob = 0;

  beforeAll(async () => {
    broker = await startRabbitMq(join(dir, "rabbitmq"), { consumer_timeout: 3000, channel_tick_interval: 1000 });
    celery = new CelerySite(venv!, broker.url);
    const own = { API_BASE_URL: await site.start(), BROKER_URI: broker.url, ACCESS_TOKEN: site.token };
    worker = new WorkerProcess(join(dir, "worker"), { ...own, CELERY_CONCURRENCY: "2", WORKER_NAME: "lab" });
    worker.start();
    for (let tries = 0; tries < 600 && !worker.says("takes jobs of the queue"); tries++) await sleep(50);
  });
  beforeEach(() => {
    site.limits.run_time_limit = 200;
    onTestFailed(() => console.error(worker.lines.join("\n")));
  });
  afterAll(async () => {
    worker?.kill();
    celery?.stop();
    await site.stop();
    await broker?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function submit(options: PublishOptions = {}, queue = "default"): Promise<SiteJob & { taskId: string }> {
    const job = site.add(++lastJob);
    job.taskId = await celery.publish(job.id, queue, options);
    return job as SiteJob & { taskId: string };
  }
  const asked = (command: string, words = {}): Promise<unknown> => celery.control(command, worker.name, words);
  const ids = async (command: string): Promise<string[]> =>
    ((await asked(command)) as { id?: string; request?: { id: string } }[])
      .map(({ id, request }) => id ?? request!.id)
      .sort();
  const result = (job: SiteJob): Promise<unknown> => celery.ask({ do: "result", id: job.taskId, timeout: 20 });

  it("begins none before its ETA, and lets others pass those that wait", async () => {
    const before = worker.lines.length;
    const late = await Promise.all([6, 6, 6].map((countdown) => submit({ countdown })));
    const published = performance.now();
    // More wait than there are slots.
    await expect.poll(() => ids("scheduled")).toEqual(late.map(({ taskId }) => taskId).sort());
    const now = await submit();
    await expect.poll(() => now.status).toBe("D");
    expect(late.map(({ starts }) => starts)).toEqual([0, 0, 0]);
    expect(await celery.ask({ do: "left" })).toBe(0);
    await expect.poll(() => late.map(({ status }) => status), { timeout: 20_000 }).toEqual(["D", "D", "D"]);
    expect(performance.now() - published).toBeGreaterThan(5500);
    // Once each, although the broker took them back while they waited.
    expect(late.map(({ starts, told }) => [starts, told.length])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(worker.lines.slice(before).join("\n")).toMatch(/timeout|PRECONDITION|gone/i);
  });

  it("begins none that has expired, and says so to whoever waits for it", async () => {
    // RabbitMQ drops by itself what expires in the queue.
    const expired = await submit({ countdown: 2, expires: 1 });
    const lasts = await submit({ countdown: 1, expires: 600 });
    await expect.poll(() => lasts.status).toBe("D");
    expect(await result(expired)).toMatch(/TaskRevokedError.*expired/);
    expect(expired).toMatchObject({ status: "Q", starts: 0, told: [] });
  });

  it("forgets one that is revoked while it waits", async () => {
    const waits = await submit({ countdown: 600 });
    await expect.poll(() => ids("scheduled")).toEqual([waits.taskId]);
    expect(await asked("revoke", { task_id: waits.taskId })).toEqual({
      ok: `tasks ${waits.taskId} flagged as revoked`,
    });
    expect(await result(waits)).toMatch(/TaskRevokedError.*revoked/);
    expect(await ids("scheduled")).toEqual([]);
    expect(await asked("revoked")).toContain(waits.taskId);
    expect(waits).toMatchObject({ status: "Q", starts: 0, told: [] });
    expect(await celery.ask({ do: "left" })).toBe(0);
  });

  it("ends one that runs where it is to be terminated, and the site knows that it is over", async () => {
    site.limits.run_time_limit = LONG;
    const runs = await submit();
    await expect.poll(() => ids("active")).toEqual([runs.taskId]);
    expect(await asked("query_task", { ids: [runs.taskId] })).toMatchObject({ [runs.taskId]: ["active", {}] });
    await asked("revoke", { task_id: runs.taskId });
    await sleep(300);
    expect(runs.status).toBe("R");
    expect(await asked("revoke", { task_id: runs.taskId, terminate: true, signal: "SIGKILL" })).toEqual({
      ok: `terminate: ${runs.taskId}`,
    });
    expect(await result(runs)).toMatch(/TaskRevokedError.*terminated/);
    expect(runs.status).toBe("E");
    expect(JSON.parse(runs.stored[0]!)).toMatchObject({ ok: false, error: null, result: null });
    expect(await ids("active")).toEqual([]);
    expect(await celery.ask({ do: "left" })).toBe(0);
    expect(await asked("terminate", { task_id: runs.taskId, signal: "TERM" })).toEqual({
      ok: "terminate: tasks unknown",
    });
  });

  it("has more jobs at a time when its pool grows, and fewer when it shrinks", async () => {
    site.limits.run_time_limit = LONG;
    const jobs = await Promise.all([1, 2, 3].map(() => submit()));
    await expect.poll(async () => (await ids("active")).length).toBe(2);
    expect(await celery.ask({ do: "left" })).toBe(1);
    expect(await asked("pool_grow", { n: 1 })).toEqual({ ok: "pool will grow" });
    await expect.poll(() => ids("active")).toEqual(jobs.map(({ taskId }) => taskId).sort());
    expect(await asked("stats")).toMatchObject({ pool: { "max-concurrency": 3 }, prefetch_count: 3 });
    expect(await asked("pool_shrink", { n: 3 })).toHaveProperty("error");
    expect(await asked("pool_shrink", { n: 1 })).toEqual({ ok: "pool will shrink" });
    await asked("revoke", { task_id: jobs.map(({ taskId }) => taskId), terminate: true });
    await expect.poll(() => jobs.map(({ status }) => status)).toEqual(["E", "E", "E"]);
  });

  it("serves a quorum queue, which knows no bound over all its consumers", async () => {
    const job = await submit({}, "quorum");
    await asked("add_consumer", { queue: "quorum" });
    await expect.poll(() => job.status, { timeout: 20_000 }).toBe("D");
    expect(worker.says("no bound over all consumers")).toBe(true);
    const other = await submit();
    await expect.poll(() => other.status).toBe("D");
  });

  it("gives back what waits when it is told to shut down", async () => {
    const waits = await submit({ countdown: 600 });
    await expect.poll(() => ids("scheduled")).toEqual([waits.taskId]);
    await asked("shutdown");
    await expect.poll(() => worker.says("the worker has ended"), { timeout: 20_000 }).toBe(true);
    await expect.poll(() => celery.ask({ do: "left" })).toBe(1);
    expect(waits.starts).toBe(0);
    expect(site.refused).toEqual([]);
  });
});
