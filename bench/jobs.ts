/**
 * Jobs that do nothing, through ten worker slots: what a job costs beside its own work. Ours over the whole way (HTTP, leases,
 * fences, results in the database, on the disk before they are accepted), bare pg-boss on the same PostgreSQL (fetch and
 * complete from ten loops, no worker at all), and Celery over RabbitMQ with the same promises. Each queue is full before
 * anybody begins; the rate is from the first job's end to the last's. Then one job after another on an idle system, and
 * ten thousand that wait.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { frontQuery } from "@lanista/server/jobs/claim-sql";
import { enqueue } from "@lanista/server/jobs/enqueue";
import { hasRabbitMq, startRabbitMq } from "@lanista/server/testing/rabbitmq";
import { sql } from "kysely";
import { PgBoss } from "pg-boss";
import { type Figure, type Goal, goal, median, type Report, short, spread } from "./lib/figures.ts";
import { type JobsServer, startJobsServer } from "./lib/jobs-server.ts";

import { scaled } from "./lib/rounds.ts";

const SLOTS = 10;
const JOBS = scaled(3000);
const ROUNDS = scaled(3);
const IDLE = scaled(100);
const QUEUED = 10_000;
const EMPTY = { kind: "noop", payload: { seconds: 0, end: "completed" }, timeoutSeconds: 60 } as const;
const python = join(process.env.BENCH_VENV ?? "/nonexistent", "bin", "python");

async function pause(server: JobsServer, paused: boolean): Promise<void> {
  const { app } = server;
  await app.db.updateTable("queues").set({ paused }).where("name", "=", "default").execute();
  await app.events.publish(app.db, "queues", "queue:default");
}

async function fill(server: JobsServer, count: number): Promise<void> {
  for (let done = 0; done < count; done += 500)
    await server.app.db.transaction().execute(async (tx) => {
      for (let one = 0; one < Math.min(500, count - done); one++) await enqueue(server.app, tx, EMPTY);
    });
}

/** Jobs a second. */
async function drain(server: JobsServer, count: number): Promise<number> {
  const { db } = server.app;
  await pause(server, false);
  for (;;) {
    await sleep(100);
    const left = await sql`(SELECT FROM jobs WHERE queue = 'default' AND state = 'waiting' LIMIT 1)
      UNION ALL (SELECT FROM jobs WHERE queue = 'default' AND state = 'running' LIMIT 1)`.execute(db);
    if (left.rows.length === 0) break;
  }
  const { rows } = await sql<{ seconds: number; bad: number }>`
    SELECT extract(epoch FROM max(ended_at) - min(ended_at))::float8 AS seconds,
      count(*) FILTER (WHERE outcome->>'kind' <> 'completed' OR attempt <> 1)::int AS bad
    FROM (SELECT * FROM jobs WHERE state = 'ended' ORDER BY ended_at DESC LIMIT ${count}) last`.execute(db);
  const { seconds, bad } = rows[0]!;
  if (bad > 0) throw new Error(`${bad} jobs did not end well at the first attempt`);
  return (count - 1) / seconds;
}

async function ours(server: JobsServer): Promise<number> {
  await pause(server, true);
  await fill(server, JOBS);
  return await drain(server, JOBS);
}

async function bareBoss(url: string): Promise<number> {
  const boss = new PgBoss({ connectionString: url, schema: "bench", max: SLOTS, supervise: false, schedule: false });
  boss.on("error", (error: Error) => console.error(error));
  await boss.start();
  try {
    await boss.createQueue("empty");
    for (let done = 0; done < JOBS; done += 500)
      await boss.insert(
        "empty",
        Array.from({ length: Math.min(500, JOBS - done) }, () => ({ data: EMPTY.payload })),
      );
    const began = performance.now();
    let done = 0;
    await Promise.all(
      Array.from({ length: SLOTS }, async () => {
        for (;;) {
          const [job] = await boss.fetch("empty");
          if (job === undefined) return;
          await boss.complete("empty", job.id, {});
          done++;
        }
      }),
    );
    if (done !== JOBS) throw new Error(`pg-boss gave ${done} of ${JOBS} jobs`);
    return done / ((performance.now() - began) / 1000);
  } finally {
    await boss.stop({ graceful: false });
  }
}

/** Milliseconds from the call that queues it to its result in the database, as whoever watches it sees it. */
async function oneAlone(server: JobsServer): Promise<number> {
  const { app } = server;
  const began = performance.now();
  const { id } = await app.db.transaction().execute((tx) => enqueue(app, tx, EMPTY));
  for await (const _ of app.events.changes([`job:${id}`], AbortSignal.timeout(30_000))) {
    const row = await app.db.selectFrom("jobs").select("state").where("id", "=", id).executeTakeFirstOrThrow();
    if (row.state === "ended") return performance.now() - began;
  }
  throw new Error("the job did not end");
}

interface Celery {
  readonly rate: number;
  readonly idle_ms: readonly number[];
}

async function celery(folder: string, notes: string[]): Promise<readonly Celery[] | null> {
  const here =
    existsSync(python) &&
    (await promisify(execFile)(python, ["-c", "import celery"]).then(
      () => true,
      () => false,
    ));
  if (!hasRabbitMq() || !here) {
    notes.push("Celery and RabbitMQ are not both installed: no comparison with them");
    return null;
  }
  const broker = await startRabbitMq(folder);
  try {
    const runs: Celery[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const words = [join(import.meta.dirname, "peers/celery_jobs.py"), broker.url, String(JOBS), String(IDLE)];
      const env = { ...process.env, C_FORCE_ROOT: "1" };
      runs.push(JSON.parse((await promisify(execFile)(python, words, { env })).stdout));
    }
    return runs;
  } finally {
    await broker.stop();
  }
}

async function manyWaiting(server: JobsServer, notes: string[]): Promise<Figure> {
  await pause(server, true);
  const before = server.residentBytes();
  await fill(server, QUEUED);
  await sleep(2000);
  const after = server.residentBytes();
  const wanted = { queue: "default", worker: "01900000-0000-7000-8000-000000000000", kinds: ["noop"], tiers: [] };
  const free = { cpus: 1, memoryBytes: 1, gpus: 0, vramBytes: 0, fullSpaces: [], fullOwners: [], except: [] };
  const { rows } = await sql<{ "QUERY PLAN": string }>`
    EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) ${frontQuery({ ...wanted, ...free }, 74, 10)}`.execute(
    server.app.db,
  );
  notes.push(`the claim's plan beside ${QUEUED} waiting jobs:`, ...rows.map((row) => `  ${row["QUERY PLAN"]}`));
  notes.push(`the same drained at ${short(await drain(server, QUEUED))} jobs/s`);
  const values = { before: spread([before / 2 ** 20]), "with them": spread([after / 2 ** 20]) };
  return { what: `the server's memory and ${QUEUED} waiting jobs`, unit: "MiB", values };
}

async function main(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "lanista-bench-jobs-"));
  const notes: string[] = [];
  const goals: Goal[] = [];
  const figures: Figure[] = [];
  try {
    const server = await startJobsServer(folder, SLOTS);
    try {
      const rates: Record<string, number[]> = { ours: [], "pg-boss": [] };
      for (let round = 0; round < ROUNDS; round++) {
        rates.ours!.push(await ours(server));
        rates["pg-boss"]!.push(await bareBoss(server.url));
      }
      const alone: number[] = [];
      for (let one = 0; one < IDLE; one++) {
        alone.push(await oneAlone(server));
        await sleep(20);
      }
      figures.push(await manyWaiting(server, notes));
      // With nothing of ours beside it.
      await server.stop();
      const peer = await celery(join(folder, "rabbitmq"), notes);
      const peerRates = peer?.map(({ rate }) => rate) ?? [];
      const values = {
        ...Object.fromEntries(Object.entries(rates).map(([name, of]) => [name, spread(of)])),
        Celery: spread(peerRates),
      };
      figures.unshift({ what: `${JOBS} empty jobs through ${SLOTS} slots`, unit: "jobs/s", values });
      const peerAlone = peer?.flatMap(({ idle_ms }) => idle_ms) ?? [];
      figures.push({
        what: "submitted → result there, idle",
        unit: "ms",
        values: { ours: spread(alone), Celery: spread(peerAlone) },
      });
      goals.push(goal("a job's overhead, idle, p50", median(alone), "≤", 50, (value) => `${short(value)} ms`));
      if (peer !== null) {
        const ratio = median(rates.ours!) / median(peerRates);
        goals.push(goal("empty jobs/s beside Celery", ratio, "≥", 1, (value) => `${short(value)} ×`));
      }
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { benchmark: "jobs", figures, goals, notes };
}

console.log(JSON.stringify(await main()));
