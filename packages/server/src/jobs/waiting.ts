/** Why a job waits, told so that whoever asks knows what would have to change. Costs the same in a long queue as in a short. */
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Db, Tx } from "../db/database.ts";
import type { ResourcesRow } from "../db/types.ts";
import { runningInQueueQuery, runningInSpacesQuery } from "./claim-sql.ts";
import type { JobRow } from "./kinds.ts";
import { liveWorkers, tiersOf, type WorkerRow } from "./workers.ts";

export type WaitReason =
  | "ready"
  | "backoff"
  | "queue_full"
  | "space_full"
  | "participant_full"
  | "no_worker"
  | "workers_busy"
  | "paused";

export interface Waiting {
  /** 1 is next; counted up to 10,000. */
  readonly position: number;
  /** Seconds; -1 where nothing is known. */
  readonly estimateSeconds: number;
  readonly reason: WaitReason;
  readonly detail: string;
  /** Names of the live workers that could run it. */
  readonly workers: readonly string[];
  readonly notBefore?: Date;
}

const FURTHEST = 10_000;
/** Ended jobs that an estimate looks back at. */
const LOOK_BACK = 100;
const MOST_NAMES = 20;

export async function whyWaiting(app: App, db: Db | Tx, job: JobRow): Promise<Waiting> {
  const position = await positionOf(db, job);
  const live = await liveWorkers(app, db, job.queue);
  const able = live.filter((worker) => couldRun(worker, job));
  const busy = await runningOf(db, able);
  const { reason, detail } = job.held ? backoff(job) : await reasonOf(db, job, live, able, busy);
  return {
    position,
    estimateSeconds: able.length === 0 ? -1 : await estimate(db, job.queue, position),
    reason,
    detail,
    workers: able.slice(0, MOST_NAMES).map(({ name }) => name),
    ...(job.held && { notBefore: job.not_before }),
  };
}

export function couldRun(worker: WorkerRow, job: JobRow): boolean {
  return (
    worker.kinds.includes(job.kind) &&
    (job.tier === "" || tiersOf(worker).some(({ tier }) => tier === job.tier)) &&
    shortOf(job, worker.total) === ""
  );
}

interface Reason {
  readonly reason: WaitReason;
  readonly detail: string;
}

const backoff = (job: JobRow): Reason => ({
  reason: "backoff",
  detail: `attempt ${job.attempt} of ${job.max_attempts} ended in a fault of ours; the next begins after a pause`,
});

async function reasonOf(
  db: Db | Tx,
  job: JobRow,
  live: readonly WorkerRow[],
  able: readonly WorkerRow[],
  running: ReadonlyMap<string, Load>,
): Promise<Reason> {
  const queue = await db.selectFrom("queues").selectAll().where("name", "=", job.queue).executeTakeFirstOrThrow();
  if (queue.paused) return { reason: "paused", detail: `the queue ${job.queue} is paused` };
  const taking = able.filter((worker) => !worker.draining);
  if (taking.length === 0)
    return { reason: "no_worker", detail: `${needsText(job)}; ${nobodyText(job.queue, live, able)}` };
  if (queue.max_running > 0) {
    const { rows } = await runningInQueueQuery(job.queue).execute(db);
    if ((rows[0]?.running ?? 0) >= queue.max_running)
      return { reason: "queue_full", detail: `the queue ${job.queue} runs its ${queue.max_running} jobs at once` };
  }
  const full = await fullInSpace(db, job);
  if (full !== null) return full;
  const paused = taking.filter((worker) => worker.paused !== "");
  const open = taking.filter(
    (worker) => worker.paused === "" && (running.get(worker.id)?.jobs ?? 0) < worker.concurrency,
  );
  const short = open.map((worker) => shortOf(job, freeOf(worker, running.get(worker.id))));
  if (short.includes("")) return { reason: "ready", detail: "a worker may take it at any moment" };
  if (short.length > 0)
    return { reason: "workers_busy", detail: `no worker has enough free for it: ${open[0]?.name} has ${short[0]}` };
  return {
    reason: "workers_busy",
    detail:
      paused.length === taking.length
        ? `every worker that could run it has paused itself: ${paused[0]?.paused}`
        : `every worker that could run it (${taking.length}) has all it can do`,
  };
}

/** What it said last, and no more than those that run on it by now leave of it. */
function freeOf({ total, free }: WorkerRow, running: Load = NO_LOAD): ResourcesRow {
  const left = (name: "cpus" | "memoryBytes" | "gpus"): number =>
    Math.min(free[name] ?? 0, (total[name] ?? 0) - running[name]);
  return { cpus: left("cpus"), memoryBytes: left("memoryBytes"), gpus: left("gpus"), vramBytes: free.vramBytes ?? 0 };
}

/** In words, of which there is less than the job needs; empty where it fits. */
function shortOf(job: JobRow, there: ResourcesRow): string {
  const { cpus = 0, memoryBytes = 0, gpus = 0, vramBytes = 0 } = there;
  const mebibytes = (bytes: number): string => `${Math.floor(Math.max(0, bytes) / 2 ** 20)} MiB`;
  return [
    job.cpus <= cpus ? "" : `${Math.max(0, cpus)} of the ${job.cpus} CPUs`,
    job.memory_bytes <= memoryBytes ? "" : `${mebibytes(memoryBytes)} of the ${mebibytes(job.memory_bytes)} of memory`,
    job.gpus <= gpus ? "" : `${Math.max(0, gpus)} of the ${job.gpus} GPUs`,
    job.vram_bytes <= vramBytes ? "" : `${mebibytes(vramBytes)} of the ${mebibytes(job.vram_bytes)} on each GPU`,
  ]
    .filter((each) => each !== "")
    .join(", ");
}

async function fullInSpace(db: Db | Tx, job: JobRow): Promise<Reason | null> {
  if (job.space_id === null) return null;
  const space = await db.selectFrom("spaces").selectAll().where("id", "=", job.space_id).executeTakeFirstOrThrow();
  if (space.max_running === 0 && space.max_running_per_participant === 0) return null;
  const { rows } = await runningInSpacesQuery([job.space_id]).execute(db);
  const all = rows.reduce((sum, row) => sum + row.running, 0);
  if (space.max_running > 0 && all >= space.max_running)
    return { reason: "space_full", detail: `the space runs its ${space.max_running} jobs at once` };
  const most = space.max_running_per_participant;
  const own = rows.find((row) => row.owner_id !== null && row.owner_id === job.owner_id)?.running ?? 0;
  if (most > 0 && own >= most)
    return {
      reason: "participant_full",
      detail: `its owner has the ${most} jobs running that one participant may have`,
    };
  return null;
}

function needsText({ kind, tier, cpus, memory_bytes, gpus, vram_bytes }: JobRow): string {
  const needs = [
    tier === "" ? "" : `the tier ${tier}`,
    cpus === 0 ? "" : `${cpus} CPUs`,
    memory_bytes === 0 ? "" : `${Math.ceil(memory_bytes / 2 ** 20)} MiB of memory`,
    gpus === 0 ? "" : `${gpus} GPUs`,
    vram_bytes === 0 ? "" : `${Math.ceil(vram_bytes / 2 ** 20)} MiB on each`,
  ].filter((need) => need !== "");
  return `it needs a worker for ${kind} jobs${needs.length === 0 ? "" : ` with ${needs.join(", ")}`}`;
}

function nobodyText(queue: string, live: readonly WorkerRow[], able: readonly WorkerRow[]): string {
  if (able.length > 0) return "those that could run it take no more jobs";
  if (live.length === 0) return `the queue ${queue} has no worker at the moment`;
  return `none of the ${live.length} workers of the queue ${queue} can`;
}

/** Held jobs stand where they will stand when their pause is over. */
async function positionOf(db: Db | Tx, { id, queue, priority, fair_tag }: JobRow): Promise<number> {
  const { rows } = await aheadQuery({ id, queue, priority, fair_tag }).execute(db);
  return (rows[0]?.ahead ?? 0) + 1;
}

export const aheadQuery = (job: Pick<JobRow, "id" | "queue" | "priority" | "fair_tag">) => sql<{ ahead: number }>`
  SELECT count(*)::int AS ahead FROM (
    (SELECT FROM jobs WHERE queue = ${job.queue} AND state = 'waiting' AND NOT held AND priority > ${job.priority}
     ORDER BY priority DESC, fair_tag, id LIMIT ${FURTHEST})
    UNION ALL
    (SELECT FROM jobs WHERE queue = ${job.queue} AND state = 'waiting' AND NOT held AND priority = ${job.priority}
       AND (fair_tag, id) < (${job.fair_tag}, ${job.id}::uuid)
     ORDER BY priority DESC, fair_tag, id LIMIT ${FURTHEST})
    LIMIT ${FURTHEST}) ahead`;

/** From when the queue's last jobs ended; -1 where too little did in the last hour. */
async function estimate(db: Db | Tx, queue: string, position: number): Promise<number> {
  const { rows } = await lastEndedQuery(queue).execute(db);
  const { ended = 0, seconds = 0 } = rows[0] ?? {};
  return ended < 2 || seconds <= 0 ? -1 : Math.ceil((position * seconds) / ended);
}

export const lastEndedQuery = (queue: string) => sql<{ ended: number; seconds: number }>`
  SELECT count(*)::int AS ended, coalesce(extract(epoch FROM now() - min(ended_at)), 0)::float8 AS seconds FROM (
    SELECT ended_at FROM jobs WHERE queue = ${queue} AND state = 'ended' AND ended_at > now() - interval '1 hour'
    ORDER BY ended_at DESC LIMIT ${LOOK_BACK}) lately`;

/** Jobs that run on a worker, and what they need together. */
interface Load {
  readonly jobs: number;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly gpus: number;
}

const NO_LOAD: Load = { jobs: 0, cpus: 0, memoryBytes: 0, gpus: 0 };

async function runningOf(db: Db | Tx, workers: readonly WorkerRow[]): Promise<Map<string, Load>> {
  if (workers.length === 0) return new Map();
  const rows = await db
    .selectFrom("jobs")
    .select([
      "worker_id",
      sql<number>`count(*)::int`.as("jobs"),
      sql<number>`sum(cpus)::float8`.as("cpus"),
      sql<number>`sum(memory_bytes)::float8`.as("memoryBytes"),
      sql<number>`sum(gpus)::int`.as("gpus"),
    ])
    .where("state", "=", "running")
    .where(
      "worker_id",
      "in",
      workers.map(({ id }) => id),
    )
    .groupBy("worker_id")
    .execute();
  return new Map(rows.flatMap(({ worker_id, ...load }) => (worker_id === null ? [] : [[worker_id, load] as const])));
}
