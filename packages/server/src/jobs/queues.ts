/** Queues as people see and set them. */
import { create } from "@bufbuild/protobuf";
import { LanistaError } from "@lanista/api/errors";
import { type Queue, QueueSchema, type UpdateQueueRequest } from "@lanista/api/gen/lanista/v1/jobs_pb";
import { type Selectable, sql } from "kysely";
import type { App } from "../app.ts";
import type { Db, Tx } from "../db/database.ts";
import type { QueuesTable } from "../db/types.ts";
import { resourcesMessage, resourcesRow } from "./workers.ts";

type QueueRow = Selectable<QueuesTable>;

export async function queueMessages(app: App, db: Db | Tx, rows: readonly QueueRow[]): Promise<Queue[]> {
  if (rows.length === 0) return [];
  const names = rows.map(({ name }) => name);
  const { rows: counts } = await sql<{
    name: string;
    waiting: number;
    running: number;
    dead: number;
    oldest: number;
    workers: number;
  }>`
    SELECT q.name,
      (SELECT count(*)::int FROM jobs WHERE queue = q.name AND state = 'waiting') AS waiting,
      (SELECT count(*)::int FROM jobs WHERE queue = q.name AND state = 'running') AS running,
      (SELECT count(*)::int FROM jobs WHERE queue = q.name AND state = 'dead') AS dead,
      (SELECT coalesce(floor(extract(epoch FROM now() - min(not_before))), 0)::int FROM jobs
       WHERE queue = q.name AND state = 'waiting' AND NOT held) AS oldest,
      (SELECT count(*)::int FROM workers
       WHERE q.name = ANY(queues) AND seen_at > now() - make_interval(secs => ${app.config.lease.seconds})) AS workers
    FROM unnest(${names}::text[]) AS q (name)`.execute(db);
  const byName = new Map(counts.map((count) => [count.name, count]));
  return rows.map((row) => {
    const count = byName.get(row.name);
    return create(QueueSchema, {
      name: row.name,
      maxRunning: row.max_running,
      paused: row.paused,
      waiting: count?.waiting ?? 0,
      running: count?.running ?? 0,
      dead: count?.dead ?? 0,
      oldestSeconds: BigInt(Math.max(0, count?.oldest ?? 0)),
      workers: count?.workers ?? 0,
      spaceId: row.space_id ?? "",
      keepFree: resourcesMessage(row.keep_free),
    });
  });
}

/** Made where it is new. `spaceId` is what `request.space` stands for. Throws LanistaError `conflict`. */
export async function updateQueue(
  app: App,
  tx: Tx,
  request: UpdateQueueRequest,
  spaceId: string | null,
): Promise<QueueRow> {
  const set = {
    ...(request.maxRunning !== undefined && { max_running: request.maxRunning }),
    ...(request.paused !== undefined && { paused: request.paused }),
    ...(request.keepFree !== undefined && { keep_free: JSON.stringify(resourcesRow(request.keepFree)) }),
  };
  const row = await tx
    .insertInto("queues")
    .values({ name: request.name, space_id: spaceId, keep_free: "{}", ...set })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ name: request.name, ...set }))
    .returningAll()
    .executeTakeFirstOrThrow();
  if (request.space !== "" && row.space_id !== spaceId)
    throw new LanistaError("conflict", "the queue is there already, and not this space's own", { field: "space" });
  await app.events.publish(tx, "queues", `queue:${row.name}`);
  return row;
}
