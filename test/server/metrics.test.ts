/** Every figure that docs/operating.md promises, after a match and a validation by a real worker. */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runFolder } from "@lanista/sandbox/owners";
import { cancelJob } from "@lanista/server/jobs/cancel";
import type { RunningWorker } from "@lanista/server/worker/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { collectSpans, type SpanCollector } from "./support/span-collector.ts";
import { FIRST, LEASE, slow, WorkerWorld } from "./support/worker-world.ts";

let world: WorkerWorld;
let worker: RunningWorker;
let collector: SpanCollector;
beforeAll(async () => {
  collector = await collectSpans();
  const flags = { "metrics.enabled": "true", "metrics.port": "0", "otel.endpoint": collector.url };
  world = await WorkerWorld.open({ ...LEASE, ...flags });
  worker = await world.worker();
}, 60_000);
afterAll(async () => {
  await world.close();
  collector.close();
});

const read = async (): Promise<string> => (await fetch(`${world.server.urls.metrics}/metrics`)).text();

/** The sum of the series of this very name whose labels hold these; undefined where there is none. */
async function figure(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const values = (await read()).split("\n").flatMap((line) => {
    const [, found, inside = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return found === name && wanted.every((one) => inside.split(",").includes(one)) ? [Number(value)] : [];
  });
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

const becomes = (name: string, labels: Readonly<Record<string, string>>, value: number) =>
  expect.poll(() => figure(name, labels), { timeout: 10_000, interval: 100, message: name }).toBe(value);

async function validate(script: string): Promise<string> {
  const payload = {
    env: "tic-tac-toe",
    options: {},
    bundle: await world.bundle(script),
    tier: "",
    limits: {},
    startSeconds: 30,
    actSeconds: 30,
    policy: null,
  };
  return (await world.enqueue({ kind: "validate", payload })).id;
}

test("a match leaves its figures", async () => {
  const job = await world.match([FIRST, FIRST]);
  expect((await world.ended(job.id)).outcome?.kind).toBe("completed");
  const match = { kind: "match", outcome: "completed" };
  await becomes("lanista_jobs_ended_total", match, 1);
  await becomes("lanista_job_run_seconds_count", { kind: "match" }, 1);
  await becomes("lanista_job_wait_seconds_count", { queue: "default" }, 1);
  expect(await figure("lanista_job_run_seconds_sum", { kind: "match" })).toBeGreaterThan(0);
  // Seven moves, by whoever is to act.
  await becomes("lanista_step_seconds_count", { env: "tic-tac-toe" }, 7);
  await becomes("lanista_step_seconds_bucket", { env: "tic-tac-toe", le: "+Inf" }, 7);
  expect(await figure("lanista_step_seconds_sum", { env: "tic-tac-toe" })).toBeGreaterThan(0);
  for (const phase of ["bundle", "ready"])
    await becomes("lanista_sandbox_start_seconds_count", { tier: "container", phase }, 2);
  const bundled = await figure("lanista_sandbox_start_seconds_sum", { phase: "bundle" });
  expect(await figure("lanista_sandbox_start_seconds_sum", { phase: "ready" })).toBeGreaterThan(bundled!);
}, 60_000);

test("boxes are seen to stand, and are counted while they live", async () => {
  const before = (await figure("lanista_sandbox_start_seconds_count", { phase: "launch" })) ?? 0;
  const job = await world.match([slow(1), slow(1)]);
  await becomes("lanista_sandboxes", { state: "live" }, 2);
  await becomes("lanista_queue_jobs", { queue: "default", state: "running" }, 1);
  await world.ended(job.id);
  await becomes("lanista_sandboxes", { state: "live" }, 0);
  await becomes("lanista_sandbox_start_seconds_count", { tier: "container", phase: "launch" }, before + 2);
}, 60_000);

test("so are a validation's two", async () => {
  const before = await figure("lanista_sandbox_start_seconds_count", { tier: "container", phase: "ready" });
  const id = await validate(slow(3));
  await becomes("lanista_sandboxes", { state: "live" }, 1);
  await world.ended(id);
  await becomes("lanista_jobs_ended_total", { kind: "validate", outcome: "completed" }, 1);
  await becomes("lanista_sandbox_start_seconds_count", { tier: "container", phase: "ready" }, before! + 2);
  // What was gathered is sent every few seconds.
  const names = () => [...collector.of(id).keys()].sort();
  const all = ["attempt 1", "job validate", "sandbox dry run", "sandbox inspection", "wait"];
  await expect.poll(names, { timeout: 15_000 }).toEqual(all);
}, 60_000);

test("what waits, what was set aside, and how the workers are", async () => {
  await world.noop(0, { queue: "default", needs: { cpus: 4000, memoryBytes: 0, gpus: 0, vramBytes: 0 } });
  const dead = { kind: "noop", payload: { seconds: 0, end: "infra_fault" }, maxAttempts: 1 } as const;
  await world.ended((await world.enqueue(dead)).id);
  await becomes("lanista_queue_jobs", { queue: "default", state: "waiting" }, 1);
  await becomes("lanista_queue_jobs", { queue: "default", state: "dead" }, 1);
  await becomes("lanista_jobs_ended_total", { kind: "noop", outcome: "dead" }, 1);
  await becomes("lanista_attempts_failed_total", { kind: "noop" }, 1);
  expect(await figure("lanista_queue_oldest_seconds", { queue: "default" })).toBeGreaterThan(0);
  await becomes("lanista_workers", { state: "live" }, 1);
  await becomes("lanista_database_up", {}, 1);
  const silence = await figure("lanista_worker_silence_seconds");
  expect(silence).toBeGreaterThan(0);
  expect(silence).toBeLessThan(60);
  for (const lag of ["lanista_worker_event_loop_lag_seconds", "lanista_nodejs_eventloop_lag_p99_seconds"])
    expect(await figure(lag), lag).toBeGreaterThan(0);
});

test.skipIf(process.getuid?.() !== 0)(
  "a box that cannot be removed is leaked as long as it is there",
  async () => {
    const job = await world.match([slow(60), slow(60)], { actSeconds: 90 });
    await becomes("lanista_sandboxes", { state: "live" }, 2);
    const [box] = globSync(join(runFolder(), `lanista-${process.pid}-*`, "b*", "agent")).map(dirname);
    const held = join(box!, "held");
    mkdirSync(held);
    execFileSync("mount", ["-t", "tmpfs", "none", held]);
    let mounted = true;
    try {
      const { app } = world.server;
      await app.db.transaction().execute((tx) => cancelJob(app, tx, job.id, "enough"));
      await becomes("lanista_sandboxes", { state: "leaked" }, 1);
      await becomes("lanista_sandboxes", { state: "live" }, 0);
      execFileSync("umount", [held]);
      mounted = false;
      await becomes("lanista_sandboxes", { state: "leaked" }, 0);
      expect(existsSync(box!)).toBe(false);
    } finally {
      if (mounted) execFileSync("umount", [held]);
    }
  },
  60_000,
);

test("a warning alone is no leak", async () => {
  process.emitWarning("clearing up after a sandbox: of another host", "LanistaWarning");
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await becomes("lanista_sandboxes", { state: "leaked" }, 0);
  expect(worker.state().sandboxes).toBe(0);
});

test("docs/operating.md tells of every figure of ours", async () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/operating.md"), "utf8");
  const ours = [...(await read()).matchAll(/^# TYPE (lanista_\w+) /gm)].map(([, name]) => name!);
  expect(ours.length).toBeGreaterThan(10);
  const foreign = /^lanista_(process|nodejs)_/;
  expect(ours.filter((name) => !foreign.test(name) && !page.includes(`\`${name}`))).toEqual([]);
});
