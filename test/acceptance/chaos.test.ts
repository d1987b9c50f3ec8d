/**
 * Servers, workers, runtimes and the database are killed, and connections cut, at random moments, while jobs are run: each
 * job ends exactly once, with a typed outcome; none is lost or stuck, no fault of ours is rated, no sandbox is left.
 * LANISTA_CHAOS_SECONDS says how long (default 25), LANISTA_CHAOS_JOBS of how many jobs (default six a second), and
 * LANISTA_CHAOS_KILLS how often the server that has everything in it is killed (default 4). The full run: 600, 2000, 50.
 * LANISTA_CHAOS_WORKERS says how many workers the two servers have (default 4).
 */

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runningEmbedded, startEmbedded } from "@lanista/server/db/embedded";
import { freePort } from "@lanista/server/testing/free-port";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ChaosJobs } from "../server/support/chaos-jobs.ts";
import { CutProxy } from "../server/support/cut-proxy.ts";
import { descendants, KeptProcess } from "../server/support/kept-process.ts";

const SECONDS = Number(process.env.LANISTA_CHAOS_SECONDS ?? 25);
const JOBS = Number(process.env.LANISTA_CHAOS_JOBS ?? SECONDS * 6);
const KILLS = Number(process.env.LANISTA_CHAOS_KILLS ?? 4);
const WORKERS = Number(process.env.LANISTA_CHAOS_WORKERS ?? 4);
/** A job that was tried often waits up to five minutes for its next attempt. */
const SETTLE_SECONDS = 420;
const MAIN = resolve(import.meta.dirname, "../../packages/cli/src/main.ts");
const QUIET = ["--metrics-enabled", "false", "--grpc-enabled", "false", "--log-level", "warn"];
const LEASE = ["--lease-seconds", "5", "--lease-heartbeat-seconds", "1"];

let dir: string;
let releases: (() => Promise<unknown>)[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lanista-chaos-"));
  releases = [];
});
afterEach(async () => {
  for (const release of releases.reverse()) await release();
  rmSync(dir, { recursive: true, force: true });
});

/** Its words go to a file in the folder of LANISTA_CHAOS_LOGS, if that is set. */
function kept(name: string, words: readonly string[], env: Readonly<Record<string, string>>): KeptProcess {
  const { LANISTA_CHAOS_LOGS: logs } = process.env;
  if (logs !== undefined) mkdirSync(logs, { recursive: true });
  const said = logs === undefined ? "ignore" : openSync(join(logs, `${name}.log`), "a");
  const process_ = new KeptProcess(name, () =>
    spawn(process.execPath, ["--conditions=lanista-source", MAIN, ...words], {
      cwd: dir,
      stdio: ["ignore", "ignore", said],
      env: { ...process.env, LANISTA_RUN_DIR: join(dir, "run"), ...env },
    }),
  );
  releases.push(() => process_.stop(0));
  return process_;
}

async function reachable(url: string): Promise<void> {
  const answers = async (): Promise<boolean> => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok === true;
  await expect.poll(answers, { timeout: 60_000, interval: 100 }).toBe(true);
}

/** Adds jobs evenly over the time, and looks for stuck ones each second. A database that is away is asked again later. */
async function work(jobs: ChaosJobs, seconds: number, count: number, stuck: Set<string>): Promise<void> {
  const until = performance.now() + seconds * 1000;
  for (let added = 0, looked = 0; performance.now() < until; ) {
    const due = Math.ceil((1 - (until - performance.now()) / (seconds * 1000)) * count);
    try {
      while (added < Math.min(due, count)) {
        await jobs.add(added);
        added++;
      }
      if (performance.now() - looked > 1000) {
        looked = performance.now();
        for (const id of await jobs.stuck()) stuck.add(id);
      }
    } catch {
      await sleep(200);
    }
    await sleep(50);
  }
}

async function settled(jobs: ChaosJobs, stuck: Set<string>): Promise<void> {
  const until = performance.now() + SETTLE_SECONDS * 1000;
  for (;;) {
    const left = await jobs.unfinished().catch(() => -1);
    if (left === 0) return;
    for (const id of await jobs.stuck().catch(() => [])) stuck.add(id);
    expect(performance.now(), `${left} jobs are not over`).toBeLessThan(until);
    await sleep(250);
  }
}

/** Every process that works in our run folder. */
function boxes(): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8");
      const runDir = join(dir, "run");
      if (words.includes(runDir) || mounts.includes(runDir)) found.push(`${pid} ${words}`);
    } catch {
      // It has gone meanwhile.
    }
  }
  return found;
}

const one = <T>(of: readonly T[]): T => of[Math.floor(Math.random() * of.length)]!;
const seconds = (least: number, most: number): number => (least + Math.random() * (most - least)) * 1000;

test(`two servers, ${WORKERS} workers, ${SECONDS} s of kills and cuts`, {
  timeout: (SECONDS + SETTLE_SECONDS + 120) * 1000,
}, async () => {
  const log = { debug: () => {}, info: () => {}, warn: () => {} };
  const database = await startEmbedded({ dataDir: join(dir, "database"), log });
  releases.push(() => database.stop());
  const store = join(dir, "store");
  const ports = [await freePort(), await freePort()];
  const servers = ports.map((port, number) => {
    const places = ["--http-port", String(port), "--data-dir", join(dir, `server-${number}`), "--store-url", store];
    const rest = ["--worker-embedded", "false", "--shutdown-seconds", "2", ...QUIET, ...LEASE];
    return kept(`server-${number}`, ["serve", ...places, ...rest], { DATABASE_URL: database.url });
  });
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  await Promise.all(urls.map(reachable));
  const jobs = await ChaosJobs.open(database.url, store, dir);
  releases.push(() => jobs.close());
  const token = await jobs.token();
  const proxies = await Promise.all(Array.from({ length: WORKERS }, (_, number) => CutProxy.open(urls[number % 2]!)));
  for (const proxy of proxies) releases.push(() => proxy.close());
  const workers = proxies.map((proxy, number) => {
    const words = ["worker", "--server", proxy.url, "--name", `worker-${number}`, "--concurrency", "2"];
    return kept(`worker-${number}`, [...words, "--log-level", "warn"], { LANISTA_TOKEN: token });
  });

  const did: Record<string, number> = {};
  const act = async (signal: AbortSignal): Promise<void> => {
    const cut = async (): Promise<void> => {
      const proxy = one(proxies);
      proxy.cut();
      // Longer than a lease now and then.
      await sleep(seconds(0.5, 8), undefined, { signal }).catch(() => {});
      proxy.mend();
    };
    const runtime = (): void => {
      const found = workers.flatMap(({ pid }) => (pid === undefined ? [] : descendants(pid)));
      // Not in the container: to kill a program there is to kill the agent, which it may do itself.
      const chains = found.filter(({ program, depth }) => depth < 3 && /^(crun|runc|unshare)/.test(program));
      if (chains.length > 0) process.kill(one(chains).pid, "SIGKILL");
    };
    const postgres = (): void => {
      const pid = database.pid();
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    };
    const actions: readonly (readonly [name: string, weight: number, action: () => unknown])[] = [
      ["worker", 4, () => one(workers).kill()],
      ["server", 3, () => one(servers).kill()],
      ["runtime", 4, runtime],
      ["postgres", 1, postgres],
      ["cut", 3, () => void cut()],
      ["reset", 2, () => one(proxies).reset()],
    ];
    const [name, , action] = one(actions.flatMap((entry) => Array.from({ length: entry[1] }, () => entry)));
    did[name] = (did[name] ?? 0) + 1;
    try {
      action();
    } catch {
      // A process that ended just now cannot be killed.
    }
  };
  const over = new AbortController();
  const chaos = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await sleep(seconds(0.5, 2), undefined, { signal: over.signal }).catch(() => {});
      if (!over.signal.aborted) await act(over.signal);
    }
  };
  const running = chaos();
  const stuck = new Set<string>();
  await work(jobs, SECONDS, JOBS, stuck);
  over.abort();
  await running;
  await settled(jobs, stuck);
  for (const worker of workers) expect(await worker.stop(15_000), `${worker.name} ends by itself`).toBe(true);
  const verdict = await jobs.verdict();
  const { wrong, ...figures } = verdict;
  console.log(JSON.stringify({ seconds: SECONDS, did, ...figures }));
  expect(wrong.slice(0, 20)).toEqual([]);
  expect([...stuck]).toEqual([]);
  expect(verdict.jobs).toBeGreaterThan(JOBS / 2);
  await expect.poll(boxes).toEqual([]);
});

test(`the server with everything in it, killed ${KILLS} times`, {
  timeout: (KILLS * 15 + SETTLE_SECONDS + 120) * 1000,
}, async () => {
  const port = await freePort();
  const data = join(dir, "data");
  const places = ["serve", "--http-port", String(port), "--data-dir", data, "--worker-concurrency", "2"];
  const server = kept("all-in-one", [...places, "--shutdown-seconds", "5", ...QUIET, ...LEASE], {});
  const url = `http://127.0.0.1:${port}`;
  await reachable(url);
  const database = await runningEmbedded(data);
  expect(database).toBeDefined();
  const jobs = await ChaosJobs.open(database!, join(data, "store"), dir);
  releases.push(() => jobs.close());
  const stuck = new Set<string>();
  const each = Math.max(10, Math.ceil(JOBS / (KILLS * 4)));
  for (let kill = 0; kill < KILLS; kill++) {
    await work(jobs, 1 + Math.random() * 3, each, stuck);
    server.kill();
    await sleep(100);
    await reachable(url);
  }
  await settled(jobs, stuck);
  expect(await server.stop(30_000)).toBe(true);
  const again = kept("again", [...places, "--shutdown-seconds", "5", "--worker-embedded", "false", ...QUIET], {});
  await reachable(url);
  const { wrong, ...figures } = await jobs.verdict();
  console.log(JSON.stringify({ kills: server.kills, ...figures }));
  expect(wrong.slice(0, 20)).toEqual([]);
  expect([...stuck]).toEqual([]);
  expect(server.kills).toBe(KILLS);
  await expect.poll(boxes).toEqual([]);
  await again.stop(30_000);
});
