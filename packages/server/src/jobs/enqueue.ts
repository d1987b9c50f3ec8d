/**
 * A job is asked for: a row, in the caller's transaction, so that it is there exactly if what asked for it is.
 *
 * Whose turn it is: start-time fair queueing. Within a queue and priority every job carries a tag, and the lowest goes
 * first. A key's next job is tagged one behind that key's last waiting one, or one behind the queue's clock (the highest
 * tag that was given out) if nothing of the key waits. So the first of a newcomer's jobs stands beside the first that waits
 * of everybody else, and a hundred jobs of one key are spread over a hundred rounds.
 */
import { LanistaError } from "@lanista/api/errors";
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { ResourcesRow } from "../db/types.ts";
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_WAIT_SECONDS } from "./bounds.ts";
import type { JobRow } from "./kinds.ts";
import { knownKind } from "./known-kind.ts";

export interface JobRequest {
  /** Default: a new one. */
  readonly id?: string;
  readonly kind: string;
  /** Default `default`. */
  readonly queue?: string;
  readonly spaceId?: string | null;
  /** Who may have but so many running at once, where the space bounds that. */
  readonly ownerId?: string | null;
  /** Jobs of one key share one part of the queue; default: the owner, else the space, else the kind. */
  readonly fairKey?: string;
  /** Higher goes first; default 0. */
  readonly priority?: number;
  /** As the kind's schema wants it. */
  readonly payload: unknown;
  readonly needs?: ResourcesRow;
  /** The walls a worker must be able to build; empty: any. */
  readonly tier?: string;
  /** Seconds until it ends as a fault of ours if nobody has taken it; default a week. */
  readonly waitSeconds?: number;
  /** Seconds an attempt may take. */
  readonly timeoutSeconds: number;
  readonly maxAttempts?: number;
}

/** Throws LanistaError: `invalid` for a payload its kind does not take or a queue that is not there or another space's. */
export async function enqueue(app: App, tx: Tx, request: JobRequest): Promise<JobRow> {
  const { kind: kindName, queue = "default", spaceId = null, ownerId = null, priority = 0, tier = "" } = request;
  const payload = knownKind(app, kindName).payload.safeParse(request.payload);
  if (!payload.success)
    throw new LanistaError("invalid", `a ${kindName} job's payload: ${payload.error.issues[0]?.message ?? "invalid"}`, {
      field: `payload.${payload.error.issues[0]?.path.join(".") ?? ""}`,
    });
  await checkQueue(tx, queue, spaceId);
  const fairKey = request.fairKey ?? ownerId ?? spaceId ?? kindName;
  const { cpus = 0, memoryBytes = 0, gpus = 0, vramBytes = 0 } = request.needs ?? {};
  const job = await tx
    .insertInto("jobs")
    .values({
      id: request.id ?? uuid(),
      kind: kindName,
      queue,
      space_id: spaceId,
      owner_id: ownerId,
      fair_key: fairKey,
      fair_tag: nextTag(queue, priority, fairKey),
      class: [spaceId, ownerId, kindName, tier, cpus, memoryBytes, gpus, vramBytes].map((part) => part ?? "").join("/"),
      priority,
      payload: JSON.stringify(payload.data),
      cpus,
      memory_bytes: memoryBytes,
      gpus,
      vram_bytes: vramBytes,
      tier,
      wait_until: sql<Date>`now() + make_interval(secs => ${request.waitSeconds ?? DEFAULT_WAIT_SECONDS})`,
      timeout_seconds: request.timeoutSeconds,
      max_attempts: request.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await app.events.publish(tx, `queue:${queue}`, `job:${job.id}`);
  return job;
}

/** Two index reads: the clock, and the end of the key's own line. */
export function nextTag(queue: string, priority: number, fairKey: string) {
  return sql<number>`1 + greatest(
    coalesce((SELECT tag FROM queue_clocks WHERE queue = ${queue} AND priority = ${priority}), 0),
    coalesce((SELECT max(fair_tag) FROM jobs WHERE queue = ${queue} AND priority = ${priority}
              AND fair_key = ${fairKey} AND state = 'waiting'), 0))`;
}

async function checkQueue(tx: Tx, name: string, spaceId: string | null): Promise<void> {
  const queue = await tx.selectFrom("queues").select("space_id").where("name", "=", name).executeTakeFirst();
  if (queue === undefined || (queue.space_id !== null && queue.space_id !== spaceId))
    throw new LanistaError("invalid", `there is no queue "${name}" for this job`, { field: "queue" });
}
