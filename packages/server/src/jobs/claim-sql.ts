/** The statements of a claim, by themselves so that their plans can be looked at (claim-plans.test.ts). */
import { sql } from "kysely";
import { ATTEMPT_GRACE_SECONDS, AVOID_SECONDS } from "./bounds.ts";
import type { JobRow } from "./kinds.ts";

/** What one claim may take of one queue at this moment. */
export interface Wanted {
  readonly queue: string;
  readonly worker: string;
  readonly kinds: readonly string[];
  readonly tiers: readonly string[];
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly gpus: number;
  readonly vramBytes: number;
  /** Spaces, and participants in spaces (`space/owner`), whose bounds are reached. */
  readonly fullSpaces: readonly string[];
  readonly fullOwners: readonly string[];
  /** Jobs that are left to other workers. */
  readonly except: readonly string[];
}

/** A job that may be taken, locked. */
export interface Candidate {
  readonly id: string;
  readonly class: string;
  readonly space_id: string | null;
  readonly owner_id: string | null;
  readonly cpus: number;
  readonly memory_bytes: number;
  readonly gpus: number;
  readonly vram_bytes: number;
  /** It has just failed somewhere. */
  readonly fresh_failure: boolean;
}

const columns = sql`j.id, j.class, j.space_id, j.owner_id, j.cpus, j.memory_bytes, j.gpus, j.vram_bytes,
  j.attempt > 0 AND j.not_before > now() - make_interval(secs => ${AVOID_SECONDS}) AS fresh_failure`;

/** By what is the same for all jobs of a class. */
const fits = (wanted: Wanted) => sql`j.kind = ANY(${wanted.kinds}) AND (j.tier = '' OR j.tier = ANY(${wanted.tiers}))
  AND j.cpus <= ${wanted.cpus} AND j.memory_bytes <= ${wanted.memoryBytes}
  AND j.gpus <= ${wanted.gpus} AND j.vram_bytes <= ${wanted.vramBytes}
  AND (j.space_id IS NULL OR j.space_id <> ALL(${wanted.fullSpaces}::uuid[]))
  AND (j.owner_id IS NULL OR j.space_id IS NULL OR (j.space_id::text || '/' || j.owner_id) <> ALL(${wanted.fullOwners}))
  AND j.id <> ALL(${wanted.except}::uuid[])`;

/** Which of these failed on this worker last, and shall wait a little for another, if one lives that could take them. */
export const othersQuery = (ids: readonly string[], worker: string, silentSeconds: number) => sql<{ id: string }>`
  SELECT j.id FROM jobs j JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
  WHERE j.id = ANY(${ids}::uuid[]) AND a.worker_id = ${worker}
    AND EXISTS (SELECT FROM workers w
                WHERE w.id <> ${worker} AND w.seen_at > now() - make_interval(secs => ${silentSeconds})
                  AND NOT w.draining AND w.paused = '' AND j.queue = ANY(w.queues) AND j.kind = ANY(w.kinds))`;

const waiting = sql`j.state = 'waiting' AND NOT j.held`;

/** Of a row of `queues`. */
export const waitsQuery = sql<boolean>`EXISTS (SELECT FROM jobs j WHERE j.queue = queues.name AND ${waiting})`;

/** The usual way: of the first `window` jobs of the queue, the first `most` that may be taken. */
export const frontQuery = (wanted: Wanted, window: number, most: number) => sql<Candidate>`
  WITH front AS MATERIALIZED (
    SELECT j.id FROM jobs j WHERE j.queue = ${wanted.queue} AND ${waiting}
    ORDER BY j.priority DESC, j.fair_tag, j.id LIMIT ${window})
  SELECT ${columns}
  FROM front f JOIN jobs j ON j.id = f.id
  WHERE ${waiting} AND ${fits(wanted)}
  ORDER BY j.priority DESC, j.fair_tag, j.id LIMIT ${most}
  FOR UPDATE OF j SKIP LOCKED`;

/** Whether more than `window` jobs wait: then what the front did not give may stand behind it. */
export const beyondQuery = (queue: string, window: number) => sql<{ beyond: boolean }>`
  SELECT EXISTS (SELECT FROM jobs j WHERE j.queue = ${queue} AND ${waiting}
                 ORDER BY j.priority DESC, j.fair_tag, j.id OFFSET ${window}) AS beyond`;

/** The way round a front full of jobs that may not be taken: the classes that wait and may, in their first jobs' order. */
export const classesQuery = (wanted: Wanted) => sql<{ class: string }>`
  WITH RECURSIVE classes AS (
    (SELECT j.class FROM jobs j WHERE j.queue = ${wanted.queue} AND ${waiting} ORDER BY j.class LIMIT 1)
    UNION ALL
    SELECT next.class FROM classes c CROSS JOIN LATERAL (
      SELECT j.class FROM jobs j WHERE j.queue = ${wanted.queue} AND ${waiting} AND j.class > c.class
      ORDER BY j.class LIMIT 1) next)
  SELECT c.class FROM classes c CROSS JOIN LATERAL (
    SELECT j.* FROM jobs j WHERE j.queue = ${wanted.queue} AND j.class = c.class AND ${waiting}
    ORDER BY j.priority DESC, j.fair_tag, j.id LIMIT 1) j
  WHERE ${fits(wanted)}
  ORDER BY j.priority DESC, j.fair_tag, j.id`;

/** The first jobs of one class. */
export const classQuery = (wanted: Wanted, name: string, most: number) => sql<Candidate>`
  SELECT ${columns} FROM jobs j
  WHERE j.queue = ${wanted.queue} AND j.class = ${name} AND ${waiting} AND ${fits(wanted)}
  ORDER BY j.priority DESC, j.fair_tag, j.id LIMIT ${most}
  FOR UPDATE OF j SKIP LOCKED`;

/**
 * Leases them: the attempt begins under the next fence. The queue's clock goes on to the highest tag taken; if another claim
 * is moving it, it is left to that one, whose tags are as good.
 */
export const takeQuery = (
  ids: readonly string[],
  to: { readonly id: string; readonly name: string; readonly leaseSeconds: number },
) => sql<JobRow>`
  WITH taken AS (
    UPDATE jobs SET state = 'running', attempt = attempt + 1, fence = fence + 1, worker_id = ${to.id},
      lease_until = now() + make_interval(secs => ${to.leaseSeconds}),
      attempt_until = now() + make_interval(secs => timeout_seconds + ${ATTEMPT_GRACE_SECONDS}),
      started_at = coalesce(started_at, now())
    WHERE id = ANY(${ids}::uuid[]) RETURNING *),
  begun AS (
    INSERT INTO attempts (job_id, number, fence, worker_id, worker_name)
    SELECT id, attempt, fence, worker_id, ${to.name} FROM taken),
  highest AS (SELECT queue, priority, max(fair_tag) AS tag FROM taken GROUP BY queue, priority),
  clocks AS (
    SELECT c.queue, c.priority, h.tag FROM queue_clocks c JOIN highest h USING (queue, priority)
    WHERE c.tag < h.tag FOR UPDATE OF c SKIP LOCKED),
  moved AS (
    UPDATE queue_clocks c SET tag = k.tag FROM clocks k WHERE c.queue = k.queue AND c.priority = k.priority),
  made AS (
    INSERT INTO queue_clocks (queue, priority, tag)
    SELECT queue, priority, tag FROM highest h
    WHERE NOT EXISTS (SELECT FROM queue_clocks c WHERE c.queue = h.queue AND c.priority = h.priority)
    ON CONFLICT DO NOTHING)
  SELECT * FROM taken ORDER BY priority DESC, fair_tag, id`;

/** Running jobs of these spaces, by participant. */
export const runningInSpacesQuery = (spaces: readonly string[]) => sql<{
  space_id: string;
  owner_id: string | null;
  running: number;
}>`SELECT space_id, owner_id, count(*)::int AS running FROM jobs
   WHERE state = 'running' AND space_id = ANY(${spaces}::uuid[]) GROUP BY space_id, owner_id`;

export const runningInQueueQuery = (queue: string) => sql<{ running: number }>`
  SELECT count(*)::int AS running FROM jobs WHERE state = 'running' AND queue = ${queue}`;
