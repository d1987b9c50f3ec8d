/**
 * Every server looks over the jobs each second, by the database's clock alone, and moves on what nobody else will: attempts
 * whose lease or time is over, jobs whose pause is over, jobs that waited too long. Servers do not get in each other's way
 * (SKIP LOCKED); each job is a transaction of its own, so that one that fails keeps nobody else.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import { ATTEMPT_GRACE_SECONDS, MOST_BACKOFF_SECONDS } from "./bounds.ts";
import { endWithoutFail, failAttempt } from "./finish.ts";
import type { JobRow } from "./kinds.ts";
import { inTransaction } from "./transaction.ts";

const EVERY_MS = 1000;
const BATCH = 200;

/** Until the server stops. Never throws: a database that is away is there again at some later second. */
export async function sweepForever(app: App): Promise<void> {
  while (!app.stopping.aborted) {
    try {
      await sweep(app);
    } catch (error) {
      if (!app.stopping.aborted) app.log.warn({ err: error }, "the sweep did not get through; the next one goes on");
    }
    // Not in step with the other servers'.
    await sleep(EVERY_MS * (0.75 + Math.random() / 2), undefined, { signal: app.stopping }).catch(() => {});
  }
}

/** Once. Gives how many jobs were moved. */
export async function sweep(app: App): Promise<number> {
  await mendClocks(app);
  const released = await release(app);
  const lapsed = await each(app, lapsedQuery, async (tx, job) =>
    failAttempt(app, tx, job, {
      kind: "infra_fault",
      ...(job.lease_until !== null && job.attempt_until !== null && job.lease_until < job.attempt_until
        ? { fault: "lease_lost", detail: "the worker was not heard of" }
        : { fault: "attempt_timeout", detail: "the worker did not end the attempt in its time" }),
    }),
  );
  const overdue = await each(app, overdueQuery, (tx, job) =>
    endWithoutFail(app, tx, job, { kind: "infra_fault", fault: "wait_timeout", detail: "nobody could run it" }),
  );
  return released + lapsed + overdue;
}

export const lapsedQuery = sql<{ id: string }>`
  SELECT id FROM jobs WHERE state = 'running' AND (lease_until < now() OR attempt_until < now())
  LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`;

export const overdueQuery = sql<{ id: string }>`
  SELECT id FROM jobs WHERE state = 'waiting' AND wait_until < now() LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`;

export const heldQuery = sql`
  SELECT id FROM jobs WHERE state = 'waiting' AND held AND not_before <= now() LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`;

/** A batch is read and let go; then each is locked again by itself, if it is still one of these. */
async function each(
  app: App,
  query: typeof lapsedQuery,
  move: (tx: Tx, job: JobRow) => Promise<string[]>,
): Promise<number> {
  let moved = 0;
  const { rows } = await query.execute(app.db);
  for (const { id } of rows) {
    try {
      const topics = await inTransaction(app, async (tx) => {
        const { rows: still } = await sql<JobRow>`
          SELECT * FROM jobs WHERE id = ${id} AND (
            (state = 'running' AND (lease_until < now() OR attempt_until < now()))
            OR (state = 'waiting' AND wait_until < now())) FOR UPDATE SKIP LOCKED`.execute(tx);
        return still[0] === undefined ? [] : await move(tx, still[0]);
      });
      if (topics.length > 0) {
        moved++;
        await app.events.publish(app.db, ...topics);
      }
    } catch (error) {
      app.log.error({ err: error, jobId: id }, "a job could not be moved on");
    }
  }
  return moved;
}

async function release(app: App): Promise<number> {
  const { rows } = await sql<{ queue: string }>`
    UPDATE jobs SET held = false WHERE id IN (${heldQuery}) RETURNING queue`.execute(app.db);
  const queues = new Set(rows.map(({ queue }) => `queue:${queue}`));
  if (queues.size > 0) await app.events.publish(app.db, ...queues);
  return rows.length;
}

/** Where the database's clock was set back, times that lie further ahead than any we ever write are pulled in. */
async function mendClocks(app: App): Promise<void> {
  const { seconds } = app.config.lease;
  await sql`UPDATE jobs SET lease_until = least(lease_until, now() + make_interval(secs => ${seconds})),
      attempt_until = least(attempt_until, now() + make_interval(secs => timeout_seconds + ${ATTEMPT_GRACE_SECONDS}))
    WHERE id IN (
      SELECT id FROM jobs WHERE state = 'running' AND (
        lease_until > now() + make_interval(secs => ${seconds + 5})
        OR attempt_until > now() + make_interval(secs => timeout_seconds + ${ATTEMPT_GRACE_SECONDS + 5}))
      LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`.execute(app.db);
  await sql`UPDATE jobs SET not_before = now() WHERE id IN (
      SELECT id FROM jobs WHERE state = 'waiting' AND held
        AND not_before > now() + make_interval(secs => ${MOST_BACKOFF_SECONDS + 5})
      LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`.execute(app.db);
}
