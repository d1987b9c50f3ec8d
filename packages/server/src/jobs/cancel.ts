/** What people do to jobs: cancel one, or put one back that was set aside. */
import { LanistaError } from "@lanista/api/errors";
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_WAIT_SECONDS, MOST_ATTEMPTS } from "./bounds.ts";
import { nextTag } from "./enqueue.ts";
import { endWithoutFail } from "./finish.ts";
import type { JobRow } from "./kinds.ts";
import { knownKind } from "./known-kind.ts";

/**
 * It is over at the transaction's commit, wherever it was: a waiting job never starts; a running one's worker is told at
 * once, and whatever it says of it from now on is refused. Gives false, and changes nothing, where it was over before.
 * Throws LanistaError `not_found`.
 */
export async function cancelJob(app: App, tx: Tx, jobId: string, reason: string): Promise<boolean> {
  const job = await lockJob(tx, jobId);
  if (job.state === "ended" || job.state === "dead") return false;
  const topics = await endWithoutFail(app, tx, job, { kind: "cancelled", detail: reason });
  await app.events.publish(tx, ...topics);
  return true;
}

/** A dead job waits again, with as many new attempts as a new one has. Throws LanistaError `not_found`, `conflict`. */
export async function reviveJob(app: App, tx: Tx, jobId: string): Promise<JobRow> {
  const job = await lockJob(tx, jobId);
  if (job.state !== "dead")
    throw new LanistaError("conflict", "only a job that was set aside (dead) can be tried again", { field: "job_id" });
  if (job.attempt >= MOST_ATTEMPTS)
    throw new LanistaError("conflict", `the job had ${job.attempt} attempts: nobody will run it`, { field: "job_id" });
  const waiting = await tx
    .updateTable("jobs")
    .set({
      state: "waiting",
      outcome: null,
      ended_at: null,
      fence: sql<number>`fence + 1`,
      not_before: sql<Date>`now()`,
      wait_until: sql<Date>`now() + make_interval(secs => ${DEFAULT_WAIT_SECONDS})`,
      max_attempts: job.attempt + DEFAULT_MAX_ATTEMPTS,
      fair_tag: nextTag(job.queue, job.priority, job.fair_key),
    })
    .where("id", "=", job.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await knownKind(app, job.kind).revived?.(app, tx, waiting);
  await app.events.publish(tx, `job:${job.id}`, `queue:${job.queue}`);
  return waiting;
}

async function lockJob(tx: Tx, jobId: string): Promise<JobRow> {
  const job = await tx.selectFrom("jobs").selectAll().where("id", "=", jobId).forUpdate().executeTakeFirst();
  if (job === undefined) throw new LanistaError("not_found", "the job does not exist, or is not yours to see");
  return job;
}
