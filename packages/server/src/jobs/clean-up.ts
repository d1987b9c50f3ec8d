/**
 * What nobody needs any more goes, every hour, on every server: each statement removes what is old by the database's clock
 * and may run anywhere, any number of times. So it needs no schedule of its own and nobody who is in charge.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { expireUploads } from "../agents/uploads.ts";
import type { App } from "../app.ts";
import { collectOrphans } from "../store/orphans.ts";

const EVERY_MS = 3_600_000;
/** Rows at once: no statement holds locks for long. */
const BATCH = 1000;

/** Until the server stops. */
export async function cleanUpForever(app: App): Promise<void> {
  for (let first = true; !app.stopping.aborted; first = false) {
    // Servers that start together do not do it together.
    const pause = EVERY_MS * (first ? 0.05 : 1) * (0.5 + Math.random() / 2);
    await sleep(pause, undefined, { signal: app.stopping, ref: false }).catch(() => {});
    if (app.stopping.aborted) return;
    try {
      app.log.debug(await cleanUp(app), "cleaned up");
    } catch (error) {
      app.log.warn({ err: error }, "the clean-up did not get through; the next one goes on");
    }
  }
}

export interface Cleaned {
  readonly answers: number;
  readonly moves: number;
  readonly uploads: number;
  readonly workers: number;
  /** Not rows, but what lay in the store. */
  readonly blobs: number;
}

/** Once. Gives how many rows went. */
export async function cleanUp(app: App): Promise<Cleaned> {
  return {
    answers: await all(
      app,
      sql`DELETE FROM idempotency WHERE (caller, key) IN (
      SELECT caller, key FROM idempotency WHERE created_at < now() - interval '1 day' LIMIT ${BATCH})`,
    ),
    // Those who watched the end have it by then; everybody else reads the replay.
    moves: await all(
      app,
      sql`DELETE FROM job_output WHERE seat = -1 AND (job_id, attempt, seq) IN (
      SELECT o.job_id, o.attempt, o.seq FROM job_output o JOIN jobs j ON j.id = o.job_id
      WHERE o.seat = -1 AND j.ended_at < now() - interval '1 hour' LIMIT ${BATCH})`,
    ),
    uploads: await expireUploads(app),
    workers: await all(
      app,
      sql`DELETE FROM workers WHERE id IN (
      SELECT w.id FROM workers w WHERE w.seen_at < now() - interval '7 days'
        AND NOT EXISTS (SELECT FROM jobs j WHERE j.state = 'running' AND j.worker_id = w.id) LIMIT ${BATCH})`,
    ),
    blobs: await collectOrphans(app),
  };
}

async function all(app: App, statement: ReturnType<typeof sql>): Promise<number> {
  let gone = 0;
  for (;;) {
    const { numAffectedRows = 0n } = await statement.execute(app.db);
    gone += Number(numAffectedRows);
    if (numAffectedRows < BigInt(BATCH) || app.stopping.aborted) return gone;
  }
}
