/**
 * Handing in for a task: the bundle is taken, the arrival fixed by the database's clock (as of the transaction's begin), and a job
 * queued, all in the caller's transaction; jobs/grade-kind.ts goes on when that has ended.
 */
import { LanistaError } from "@lanista/api/errors";
import type { HandInRequest } from "@lanista/api/gen/lanista/v1/grades_pb";
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { lockMember } from "../agents/bundles.ts";
import { checkOwnSize, type Measured, takeHanded } from "../agents/handed.ts";
import type { App } from "../app.ts";
import { notFound, type SpaceRow } from "../auth/access.ts";
import type { Tx } from "../db/database.ts";
import { enqueueGrading } from "./enqueue-grading.ts";
import { extensionOf } from "./extensions.ts";
import { lateSeconds, ownClosing, ownDeadline } from "./lateness.ts";
import { type StoredSettings, settingsOf } from "./settings.ts";
import { versionInUse } from "./task-versions.ts";
import type { TaskRow } from "./tasks.ts";

/** The new submission's id. `task` was read by shareTask: no deadline is moved meanwhile. Throws LanistaError. */
export async function handIn(
  app: App,
  tx: Tx,
  space: SpaceRow,
  task: TaskRow,
  userId: string,
  bundle: HandInRequest["bundle"],
): Promise<string> {
  await lockMember(tx, space.id, userId);
  const settings = settingsOf(task);
  const { arrived, late } = await checkTimes(tx, task, settings, userId);
  const version = await versionInUse(tx, task.id);
  if (version === undefined)
    throw new LanistaError("conflict", "the task is not ready: it has no bundle in use", { field: "task_id" });
  await checkDaily(tx, task.id, userId, settings.dailyLimit);
  const { digest, size } = await bundleOf(app, tx, space, userId, bundle, settings.maxBytes);
  const { last } = await tx
    .selectFrom("task_submissions")
    .select((eb) => eb.fn.max("number").as("last"))
    .where("task_id", "=", task.id)
    .where("owner_id", "=", userId)
    .executeTakeFirstOrThrow();
  const id = uuid();
  const number = (last ?? 0) + 1;
  const job = await enqueueGrading(app, tx, {
    task,
    version,
    digest,
    number,
    ownerId: userId,
    // A line of its own in the queue, beside his matches and whatever is run again.
    fairKey: `hand-in:${userId}`,
  });
  await tx
    .insertInto("task_submissions")
    .values({
      id,
      space_id: space.id,
      task_id: task.id,
      owner_id: userId,
      number,
      digest,
      size_bytes: size,
      job_id: job.id,
      arrived_at: arrived,
      late_seconds: late,
      points: null,
      out_of: null,
      held_for: null,
      import_key: null,
      import_fingerprint: null,
    })
    .execute();
  return id;
}

async function checkTimes(
  tx: Tx,
  task: TaskRow,
  settings: StoredSettings,
  userId: string,
): Promise<{ arrived: Date; late: number }> {
  if (!task.visible) throw new LanistaError("conflict", "the task is not open", { field: "task_id" });
  const { rows } = await sql<{ now: Date }>`SELECT now() AS now`.execute(tx);
  const arrived = rows[0]!.now;
  const until = await extensionOf(tx, task.id, userId);
  const closing = ownClosing(task, until);
  if (closing !== null && arrived >= closing)
    throw new LanistaError("conflict", `the task closed at ${closing.toISOString()}`, { field: "task_id" });
  const deadline = ownDeadline(task, until);
  const late = lateSeconds(arrived, deadline, settings.graceMinutes);
  if (late > 0 && settings.latePolicy === "refuse")
    throw new LanistaError("conflict", `the deadline was ${deadline?.toISOString()}, and nothing is taken after it`, {
      field: "task_id",
    });
  return { arrived, late };
}

/** Throws LanistaError `quota_exceeded`. Under the member's lock. */
async function checkDaily(tx: Tx, taskId: string, userId: string, most: number): Promise<void> {
  if (most === 0) return;
  const { made } = await tx
    .selectFrom("task_submissions")
    .select((eb) => eb.fn.countAll<number>().as("made"))
    .where("task_id", "=", taskId)
    .where("owner_id", "=", userId)
    .where("arrived_at", ">=", sql<Date>`date_trunc('day', now(), 'UTC')`)
    .where("state", "not in", ["cancelled", "failed"])
    .where("import_key", "is", null)
    .executeTakeFirstOrThrow();
  if (made >= most)
    throw new LanistaError("quota_exceeded", `you handed in ${made} of ${most} times today`, {
      hint: "The count begins anew at 00:00 UTC.",
    });
}

async function bundleOf(
  app: App,
  tx: Tx,
  space: SpaceRow,
  userId: string,
  bundle: HandInRequest["bundle"],
  maxBytes: number,
): Promise<Measured> {
  const most = maxBytes === 0 ? Number.POSITIVE_INFINITY : maxBytes;
  if (bundle.case === "zip" || bundle.case === "uploadId")
    return await takeHanded(app, tx, space, userId, bundle, most);
  const version = await tx
    .selectFrom("agent_versions as v")
    .innerJoin("agents as a", "a.id", "v.agent_id")
    .select(["v.digest", "v.size_bytes"])
    .where("v.id", "=", bundle.value ?? null)
    .where("a.owner_id", "=", userId)
    .where("a.space_id", "=", space.id)
    .executeTakeFirst();
  if (version === undefined) throw notFound("the version");
  checkOwnSize(version.size_bytes, most);
  return { digest: version.digest, size: version.size_bytes };
}
