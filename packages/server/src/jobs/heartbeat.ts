/** A worker is alive, and so are its jobs: their leases go on, what they gave is stored, those that are no more its own are named. */
import type { HeartbeatRequest, RunningJob } from "@lanista/api/gen/lanista/v1/workers_pb";
import { sql } from "kysely";
import type { App } from "../app.ts";
import { storeOutput } from "./output.ts";
import { inTransaction, isPassing } from "./transaction.ts";
import { resourcesRow, type WorkerRow } from "./workers.ts";

export interface Lost {
  readonly jobId: string;
  readonly fence: number;
  readonly reason: "cancelled" | "lease_lost";
}

export interface Beat {
  readonly lost: readonly Lost[];
  readonly leaseUntil: Date;
}

/** `worker` is the caller's own. A lease that ran out but that no sweep has taken yet goes on. */
export async function heartbeat(app: App, worker: WorkerRow, request: HeartbeatRequest): Promise<Beat> {
  const { leaseUntil, kept } = await prolong(app, worker, request);
  const lost: Lost[] = [];
  for (const running of request.running) {
    const fence = Number(running.fence);
    if (kept.has(key(running.jobId, fence))) await store(app, running);
    else lost.push({ jobId: running.jobId, fence, reason: await whyLost(app, running.jobId, fence) });
  }
  return { lost, leaseUntil };
}

const key = (jobId: string, fence: number): string => `${jobId} ${fence}`;

async function prolong(
  app: App,
  worker: WorkerRow,
  { running, free, paused, health }: HeartbeatRequest,
): Promise<{ leaseUntil: Date; kept: Set<string> }> {
  const seconds = app.config.lease.seconds;
  const { jobs } = app.metrics;
  for (const { tier, phase, milliseconds } of health?.starts ?? [])
    jobs.sandboxStarted(tier, phase, milliseconds / 1000);
  for (const steps of health?.steps ?? []) jobs.steps.add(steps);
  return await inTransaction(app, async (tx) => {
    const [row] = await tx
      .updateTable("workers")
      .set({
        seen_at: sql<Date>`now()`,
        paused,
        ...(free === undefined ? {} : { free: JSON.stringify(resourcesRow(free)) }),
        ...(health === undefined
          ? {}
          : {
              health: JSON.stringify({
                liveSandboxes: health.liveSandboxes,
                leakedSandboxes: Number(health.leakedSandboxes),
                eventLoopLagMs: health.eventLoopLagMs,
              }),
            }),
      })
      .where("id", "=", worker.id)
      .returning(sql<Date>`now() + make_interval(secs => ${seconds})`.as("until"))
      .execute();
    const ids = running.map((job) => job.jobId);
    const fences = running.map((job) => Number(job.fence));
    // In one order, whoever locks several: two heartbeats of one worker may meet, and a heartbeat a batch of reports.
    const { rows } = await sql<{ id: string; fence: number }>`
      WITH own AS (
        SELECT j.id FROM unnest(${ids}::uuid[], ${fences}::bigint[]) AS said (id, fence)
        JOIN jobs j ON j.id = said.id AND j.fence = said.fence
        WHERE j.state = 'running' AND j.worker_id = ${worker.id} AND j.attempt_until > now()
        ORDER BY j.fair_key, j.id FOR UPDATE OF j)
      UPDATE jobs SET lease_until = now() + make_interval(secs => ${seconds}) FROM own WHERE jobs.id = own.id
      RETURNING jobs.id, jobs.fence`.execute(tx);
    return { leaseUntil: row?.until ?? new Date(), kept: new Set(rows.map(({ id, fence }) => key(id, fence))) };
  });
}

async function store(app: App, running: RunningJob): Promise<void> {
  if (running.output.length === 0) return;
  const of = { jobId: running.jobId, fence: Number(running.fence) };
  const stored = await inTransaction(app, (tx) => storeOutput(tx, of, running.output)).catch((error: unknown) => {
    if (isPassing(error)) throw error;
    // What cannot be stored is left out: it must not keep the worker from hearing what it lost.
    app.log.error({ err: error, jobId: running.jobId }, "a job's output could not be taken in");
    return false;
  });
  if (stored) await app.events.publish(app.db, `job:${running.jobId}`);
}

async function whyLost(app: App, jobId: string, fence: number): Promise<Lost["reason"]> {
  const attempt = await app.db
    .selectFrom("attempts")
    .select("outcome")
    .where("job_id", "=", jobId)
    .where("fence", "=", fence)
    .executeTakeFirst();
  return attempt?.outcome?.kind === "cancelled" ? "cancelled" : "lease_lost";
}

/** What the worker no longer has, of the last minutes: for its line, which tells it before the next heartbeat would. */
export async function lostLately(app: App, workerId: string): Promise<{ jobId: string; fence: number }[]> {
  const rows = await app.db
    .selectFrom("attempts")
    .select(["job_id", "fence"])
    .where("worker_id", "=", workerId)
    .where("report_hash", "is", null)
    .where("ended_at", ">", sql<Date>`now() - interval '10 minutes'`)
    .execute();
  return rows.map((row) => ({ jobId: row.job_id, fence: row.fence }));
}
