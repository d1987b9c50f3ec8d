/**
 * The drop-in worker between a real RabbitMQ, a real Celery and a stand-in for the site: whatever is killed and whatever ails,
 * every job ends with a result stored, and none ever gets two. LANISTA_AIVLE_JOBS=500 makes more of it.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hasRabbitMq, type RabbitMq, startRabbitMq } from "@lanista/server/testing/rabbitmq";
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { pythonPackages } from "../server/python.ts";
import { CelerySite } from "./support/celery.ts";
import { type SiteJob, StandInSite } from "./support/site.ts";
import { WorkerProcess } from "./support/worker-process.ts";

const JOBS = Number(process.env.LANISTA_AIVLE_JOBS ?? "30");
const KILLS = 10;
const venv = pythonPackages(join(import.meta.dirname, "requirements.txt"));
const here = venv !== null && (hasRabbitMq() || process.env.CI !== undefined);

describe.runIf(here)("aiVLE's worker", () => {
  const dir = mkdtempSync(join(tmpdir(), "lanista-aivle-test-"));
  const site = new StandInSite();
  let broker: RabbitMq;
  let celery: CelerySite;
  let worker: WorkerProcess;
  let lastJob = 0;

  beforeAll(async () => {
    broker = await startRabbitMq(join(dir, "rabbitmq"), { consumer_timeout: 3000, channel_tick_interval: 1000 });
    const API_BASE_URL = await site.start();
    celery = new CelerySite(venv!, broker.url);
    site.onPause = (command, queue, name) => celery.control(command, name, { queue });
    const own = { API_BASE_URL, BROKER_URI: broker.url, ACCESS_TOKEN: site.token, CELERY_CONCURRENCY: "3" };
    worker = new WorkerProcess(join(dir, "worker"), { ...own, SITE_SECRET: "of the site", WORKER_NAME: "lab" });
    worker.start();
  });
  afterAll(async () => {
    worker?.kill();
    celery?.stop();
    await site.stop();
    await broker?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The site makes a job, and stores the message's id only some time after the message is out. */
  async function submit(raceMs = 0): Promise<SiteJob> {
    const job = site.add(++lastJob);
    const taskId = await celery.publish(job.id);
    if (raceMs > 0) await sleep(raceMs);
    job.taskId = taskId;
    return job;
  }
  const over = (): boolean => [...site.jobs.values()].every(({ status }) => status === "D" || status === "E");
  const showLog = (): void => onTestFailed(() => console.error(worker.lines.join("\n")));

  it("grades a job, and gives its result to the site and to whoever waits for the task", async () => {
    showLog();
    const job = await submit(300);
    await expect.poll(() => job.status).toBe("D");
    const report = JSON.parse(job.stored[0]!);
    expect(report).toMatchObject({ task_id: job.taskId, ok: true, error: null, raw_log: "a log\u{fffd}\n" });
    expect(job.worker).toBe(worker.name);
    expect(await celery.ask({ do: "result", id: job.taskId, timeout: 20 })).toEqual({
      ok: true,
      raw_log: report.raw_log,
      result: report.result,
      error: null,
    });
  });

  it("stores one result for every job, whoever is killed and whatever ails", async () => {
    showLog();
    // Where in a job it is killed.
    const moments = ["start_job after", "agent after", "submit_job before", "submit_job after", "grading"];
    let kills = 0;
    let armed = true;
    const kill = (): void => {
      worker.kill();
      kills++;
      void sleep(300).then(() => worker.start());
    };
    site.onCall = (call, when) => {
      if (!armed || kills >= KILLS) return;
      const moment = moments[kills % moments.length];
      const grading = moment === "grading" && call === "agent" && when === "after";
      if (moment !== `${call} ${when}` && !grading) return;
      armed = false;
      setTimeout(kill, grading ? 100 : 0);
      // Some jobs come to their end between two kills.
      setTimeout(() => {
        armed = true;
      }, 800);
    };
    const disturb = async (): Promise<void> => {
      await expect.poll(() => kills, { timeout: 300_000 }).toBeGreaterThan(2);
      await broker.crash();
      await expect.poll(() => kills, { timeout: 300_000 }).toBeGreaterThan(5);
      site.ailing = 0.7;
      await sleep(3000);
      site.ailing = 0;
      await expect.poll(() => kills, { timeout: 300_000 }).toBeGreaterThan(7);
      await broker.restart(1000);
    };
    const disturbed = disturb();
    for (let one = 0; one < JOBS; one++) {
      await submit(one % 10 === 0 ? 300 : 0);
      // So that there are jobs to kill the worker in until the last.
      if (one > JOBS / 2) await expect.poll(() => kills >= KILLS * (one / JOBS) - 3, { timeout: 300_000 }).toBe(true);
    }
    await disturbed;
    await expect.poll(() => over() && kills >= KILLS, { timeout: 300_000, interval: 200 }).toBe(true);
    site.onCall = () => {};

    const jobs = [...site.jobs.values()];
    expect(jobs).toHaveLength(JOBS + 1);
    for (const job of jobs) {
      expect(job.status).toBe("D");
      expect(job.stored.length).toBeGreaterThan(0);
      // Whatever was ever told of it, also what the site no longer wanted, is the same to the byte.
      expect(new Set(job.told).size).toBe(1);
    }
    expect(kills).toBe(KILLS);
    // It bites: jobs were begun again, and results told again.
    expect(jobs.some(({ starts }) => starts > 1)).toBe(true);
    expect(jobs.some(({ told }) => told.length > 1)).toBe(true);
    expect(site.refused).toEqual([]);
  }, 900_000);

  it("drops what is no task of its own, and goes on", async () => {
    showLog();
    await celery.ask({ do: "other task" });
    await celery.publish("not a number");
    await celery.publish(-1);
    const job = await submit();
    await expect.poll(() => job.status).toBe("D");
    expect(worker.lines.filter((line) => line.includes("dropped a message"))).toHaveLength(3);
  });

  it("is paused and resumed by remote control, and answers it as Celery's worker does", async () => {
    showLog();
    expect(await celery.control("ping", worker.name)).toEqual({ ok: "pong" });
    expect(await celery.control("active_queues", worker.name)).toMatchObject([{ name: "default" }]);
    expect(await celery.control("cancel_consumer", worker.name, { queue: "default" })).toEqual({
      ok: "no longer consuming from default",
    });
    await expect.poll(() => celery.control("active_queues", worker.name)).toEqual([]);
    const job = await submit();
    await sleep(1500);
    expect(job.starts).toBe(0);
    expect(await celery.control("add_consumer", worker.name, { queue: "default" })).toEqual({
      ok: "add consumer default",
    });
    await expect.poll(() => job.status).toBe("D");
    expect(await celery.control("autoscale", worker.name, { max: 1 })).toEqual({
      error: "no such command: autoscale",
    });
    // What is meant for others is left to them.
    expect(await celery.control("ping", "celery@elsewhere")).toBeUndefined();
  });

  it("begins no task that was revoked", async () => {
    showLog();
    await celery.control("cancel_consumer", worker.name, { queue: "default" });
    await expect.poll(() => celery.control("active_queues", worker.name)).toEqual([]);
    const revoked = await submit();
    const job = await submit();
    await celery.control("revoke", worker.name, { task_id: revoked.taskId });
    await celery.control("add_consumer", worker.name, { queue: "default" });
    await expect.poll(() => job.status).toBe("D");
    expect(revoked.starts).toBe(0);
  });

  it("grades once what the broker took back because it waited too long", async () => {
    showLog();
    site.limits.run_time_limit = 12_000;
    const before = worker.lines.length;
    const job = await submit();
    await expect.poll(() => job.status, { timeout: 60_000 }).toBe("D");
    site.limits.run_time_limit = 200;
    // It did take it back, closing the channel.
    expect(worker.lines.slice(before).join("\n")).toMatch(/timeout|PRECONDITION|gone/i);
    expect(job).toMatchObject({ starts: 1 });
    expect(job.told).toHaveLength(1);
  });

  it("has the site stop it while the machine has less free than the queue asks for, and resume it after", async () => {
    showLog();
    const asked: string[] = [];
    const { onPause } = site;
    site.onPause = (command, queue, name) => {
      asked.push(command);
      return onPause(command, queue, name);
    };
    site.queue.ram_required = 100_000_000;
    await expect.poll(() => asked, { timeout: 60_000 }).toEqual(["cancel_consumer"]);
    await expect.poll(() => celery.control("active_queues", worker.name)).toEqual([]);
    const job = await submit();
    await sleep(3000);
    expect(job.starts).toBe(0);
    site.queue.ram_required = 0;
    await expect.poll(() => job.status, { timeout: 60_000 }).toBe("D");
    expect(asked).toEqual(["cancel_consumer", "add_consumer"]);
    expect(await celery.control("active_queues", worker.name)).toMatchObject([{ name: "default" }]);
  });

  it("drains: what it has comes to its end, and is told", async () => {
    showLog();
    site.limits.run_time_limit = 1500;
    const job = await submit();
    await expect.poll(() => job.starts).toBe(1);
    expect(await worker.end()).toBe(0);
    expect(job.status).toBe("D");
    // And acknowledged: nothing is left for another.
    expect(await celery.ask({ do: "left" })).toBe(0);
    // Of those that were killed, neither.
    expect(readdirSync(join(dir, "worker", "temp"))).toEqual([]);
    expect(site.refused).toEqual([]);
  });
});
