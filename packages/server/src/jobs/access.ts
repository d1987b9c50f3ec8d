/** Whose jobs are whose. One that the caller may not see does not exist for him. */
import { atLeast, isAdministrator, notFound, requireOutside, requireOwn, requireRole } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import type { JobRow } from "./kinds.ts";

/** Kinds of a space's own work: all of its staff may look at them, and their logs are staff's alone. */
export const COURSE_KINDS: readonly string[] = ["grade", "task_check", "compare", "env_check"];

async function jobRow(db: Db | Tx, id: string): Promise<JobRow> {
  const job = await db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst();
  if (job === undefined) throw notFound("the job");
  return job;
}

/** One that the caller may look at: what he may stop, and of a course's own work, where he is of its staff, all. Throws LanistaError `not_found`. */
export async function seenJob(db: Db | Tx, caller: Caller, id: string): Promise<JobRow> {
  const job = await jobRow(db, id);
  if (job.space_id === null || !COURSE_KINDS.includes(job.kind)) return await ownJob(db, caller, id);
  await requireOwn(db, caller, { spaceId: job.space_id, ownerId: job.owner_id }, "the job", "assistant");
  return job;
}

/** The caller's own, or one of a space he organises: he may stop it. Throws LanistaError `not_found`. */
export async function ownJob(db: Db | Tx, caller: Caller, id: string): Promise<JobRow> {
  const job = await jobRow(db, id);
  if (job.space_id !== null) await requireOwn(db, caller, { spaceId: job.space_id, ownerId: job.owner_id }, "the job");
  else requireOutside(caller, job.owner_id, "the job");
  return job;
}

/** One of a space the caller organises; jobs of no space are an administrator's. Throws LanistaError `not_found`, `forbidden`. */
export async function organisedJob(db: Db | Tx, caller: Caller, id: string): Promise<JobRow> {
  const job = await jobRow(db, id);
  if (job.space_id !== null) await requireRole(db, caller, job.space_id, "organiser", "the job");
  else if (!isAdministrator(caller) || caller.spaceId !== null) throw notFound("the job");
  return job;
}

/**
 * The job, and the seats whose logs the caller may read: null for all. An organiser reads all, and so does any staff of a course's own work; a participant those of his own
 * agents, all of a job of his own that is no match, and none of one that grades him. Throws LanistaError `not_found` where there is none.
 */
export async function readableSeats(
  db: Db | Tx,
  caller: Caller,
  id: string,
): Promise<{ job: JobRow; seats: readonly number[] | null }> {
  const job = await jobRow(db, id);
  if (isAdministrator(caller)) {
    if (caller.spaceId !== null && caller.spaceId !== job.space_id) throw notFound("the job");
    return { job, seats: null };
  }
  if (caller.user === null) throw notFound("the job");
  if (job.space_id !== null) {
    const role = await requireRole(db, caller, job.space_id, "participant", "the job");
    if (atLeast(role, COURSE_KINDS.includes(job.kind) ? "assistant" : "organiser")) return { job, seats: null };
  } else if (caller.spaceId !== null) throw notFound("the job");
  // A grading's log tells of hidden cases.
  if (COURSE_KINDS.includes(job.kind)) {
    if (job.owner_id !== caller.user.id) throw notFound("the job");
    return { job, seats: [] };
  }
  const match = await db.selectFrom("matches").select("id").where("job_id", "=", job.id).executeTakeFirst();
  if (match === undefined) {
    if (job.owner_id !== caller.user.id) throw notFound("the job");
    return { job, seats: null };
  }
  const own = await db
    .selectFrom("match_seats")
    .innerJoin("agents", "agents.id", "match_seats.agent_id")
    .select("match_seats.seat")
    .where("match_seats.match_id", "=", match.id)
    .where("agents.owner_id", "=", caller.user.id)
    .execute();
  if (own.length === 0 && job.owner_id !== caller.user.id) throw notFound("the job");
  return { job, seats: own.map(({ seat }) => seat) };
}
