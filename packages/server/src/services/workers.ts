/** WorkerService: what workers call, and what people ask about workers. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  DrainWorkerRequestSchema,
  DrainWorkerResponseSchema,
  type WorkerSchema,
  type WorkerService,
} from "@lanista/api/gen/lanista/v1/workers_pb";
import { sql } from "kysely";
import type { App } from "../app.ts";
import { isAdministrator, notFound } from "../auth/access.ts";
import { type Caller, callerOf } from "../auth/caller.ts";
import type { Db } from "../db/database.ts";
import { attend, type Line } from "../jobs/attend.ts";
import { claim } from "../jobs/claim.ts";
import { heartbeat } from "../jobs/heartbeat.ts";
import { knownKind } from "../jobs/known-kind.ts";
import { ReportBatches } from "../jobs/report-batches.ts";
import {
  claimerOf,
  floorsOf,
  ownWorker,
  registerWorker,
  resourcesMessage,
  resourcesRow,
  tiersOf,
  type WorkerRow,
} from "../jobs/workers.ts";
import { mutate } from "../mutate.ts";
import { traceparent } from "../ops/tracing.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";

/** Workers whose tokens are remembered. */
const MOST_KNOWN = 10_000;

export function workerService(app: App): ServiceImpl<typeof WorkerService> {
  const { db } = app;
  const reports = new ReportBatches(app);
  const tokens = new Map<string, string>();
  return {
    async *attend(request, context): AsyncGenerator<Line> {
      const { hello } = request;
      if (hello === undefined) throw new LanistaError("invalid", "a worker says hello first", { field: "hello" });
      const worker = await registerWorker(app, callerOf(context), hello);
      yield* attend(app, worker, context.signal);
    },

    async lease(request, context) {
      const caller = callerOf(context);
      const worker = await ownWorker(db, caller, request.workerId);
      if (worker.draining) return { jobs: [] };
      const free = request.free === undefined ? worker.total : resourcesRow(request.free);
      const jobs = await claim(app, claimerOf(worker, caller), request.slots, free);
      return {
        jobs: jobs.map((job) => ({
          jobId: job.id,
          kind: job.kind,
          fence: BigInt(job.fence),
          attempt: job.attempt,
          ...(job.lease_until !== null && { leaseUntil: timestampFromDate(job.lease_until) }),
          timeoutSeconds: job.timeout_seconds,
          payloadJson: JSON.stringify(job.payload),
          queue: job.queue,
          ...(app.config.otel.endpoint !== "" && { traceparent: traceparent(job.id) }),
          needs: resourcesMessage({
            cpus: job.cpus,
            memoryBytes: job.memory_bytes,
            gpus: job.gpus,
            vramBytes: job.vram_bytes,
          }),
        })),
      };
    },

    async heartbeat(request, context) {
      const worker = await ownWorker(db, callerOf(context), request.workerId);
      const { lost, leaseUntil } = await heartbeat(app, worker, request);
      return {
        lost: lost.map(({ jobId, fence, reason }) => ({ jobId, fence: BigInt(fence), reason })),
        leaseUntil: timestampFromDate(leaseUntil),
        floors: await floorsOf(db, worker.queues),
      };
    },

    async report(request, context) {
      const caller = callerOf(context);
      // Whose a worker is never changes.
      if (tokens.get(request.workerId) !== caller.tokenId) {
        const { id, token_id } = await ownWorker(db, caller, request.workerId);
        if (tokens.size >= MOST_KNOWN) tokens.clear();
        tokens.set(id, token_id);
      }
      // Each is settled by itself: one that the database refuses for the moment makes the worker send all again.
      return { answers: await Promise.all(request.reports.map((one) => reports.report(request.workerId, one))) };
    },

    async *fetchBundle(request, context) {
      const worker = await ownWorker(db, callerOf(context), request.workerId);
      const job = await db
        .selectFrom("jobs")
        .selectAll()
        .where("id", "=", request.jobId)
        .where("state", "=", "running")
        .where("worker_id", "=", worker.id)
        .where("fence", "=", Number(request.fence))
        .executeTakeFirst();
      if (job === undefined) throw notFound("the job under this lease");
      const kind = knownKind(app, job.kind);
      if (!kind.bundles(kind.payload.parse(job.payload)).includes(request.digest)) throw notFound("the bundle");
      for await (const data of await app.store.open(request.digest)) yield { data };
    },

    async listWorkers(request, context) {
      const wanted = pageWanted(request.page, 2);
      const seen = await visibleQueues(db, callerOf(context));
      let query = db.selectFrom("workers").selectAll();
      if (seen !== null) query = query.where(sql<boolean>`queues && ${[...seen]}::text[]`);
      if (wanted.after !== null) {
        const [started, id] = wanted.after;
        query = query.where(sql<boolean>`(date_trunc('milliseconds', started_at), id::text)
          < (to_timestamp(${Number(started) / 1000}::float8), ${String(id)})`);
      }
      const found = await query
        .orderBy(sql`date_trunc('milliseconds', started_at)`, "desc")
        .orderBy(sql`id::text`, "desc")
        .limit(wanted.size + 1)
        .execute();
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.started_at.getTime(), row.id]);
      const shown = rows.map((row) => ({ ...row, queues: row.queues.filter((queue) => seen?.has(queue) ?? true) }));
      return { workers: await workerMessages(app, shown), nextPageToken };
    },

    drainWorker: (request, context) =>
      mutate(
        app,
        context,
        { input: DrainWorkerRequestSchema, output: DrainWorkerResponseSchema },
        request,
        async (tx, note) => {
          note.subject = request.workerId;
          const row = await tx
            .updateTable("workers")
            .set({ draining: request.drain })
            .where("id", "=", request.workerId)
            .returningAll()
            .executeTakeFirst();
          if (row === undefined) throw notFound("the worker");
          await app.events.publish(tx, `worker:${row.id}`);
          const [worker] = await workerMessages(app, [row]);
          return { worker: worker! };
        },
      ),
  };
}

/** Those of no space, and those of the spaces he has a part in; null: all. */
async function visibleQueues(db: Db, caller: Caller): Promise<ReadonlySet<string> | null> {
  if (isAdministrator(caller)) return null;
  let own = db
    .selectFrom("members")
    .select("space_id")
    .where("user_id", "=", caller.user?.id ?? "");
  if (caller.spaceId !== null) own = own.where("space_id", "=", caller.spaceId);
  const rows = await db
    .selectFrom("queues")
    .select("name")
    .where((eb) => eb.or([eb("space_id", "is", null), eb("space_id", "in", own)]))
    .execute();
  return new Set(rows.map(({ name }) => name));
}

async function workerMessages(app: App, rows: readonly WorkerRow[]): Promise<MessageInitShape<typeof WorkerSchema>[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const { rows: states } = await sql<{ id: string; running: number; live: boolean }>`
    SELECT w.id, w.seen_at > now() - make_interval(secs => ${app.config.lease.seconds}) AS live,
      (SELECT count(*)::int FROM jobs j WHERE j.state = 'running' AND j.worker_id = w.id) AS running
    FROM workers w WHERE w.id = ANY(${ids}::uuid[])`.execute(app.db);
  const stateOf = new Map(states.map((state) => [state.id, state]));
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    version: row.version,
    queues: row.queues,
    concurrency: row.concurrency,
    running: stateOf.get(row.id)?.running ?? 0,
    total: resourcesMessage(row.total),
    free: resourcesMessage(row.free),
    tiers: tiersOf(row),
    draining: row.draining,
    paused: row.paused,
    startedAt: timestampFromDate(row.started_at),
    seenAt: timestampFromDate(row.seen_at),
    live: stateOf.get(row.id)?.live ?? false,
    kinds: row.kinds,
  }));
}
