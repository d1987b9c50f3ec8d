/** Deadlines of single students. */
import { LanistaError } from "@lanista/api/errors";
import { notFound } from "../auth/access.ts";
import type { Db, Tx } from "../db/database.ts";
import type { PageWanted } from "../rpc/paging.ts";
import type { TaskRow } from "./tasks.ts";

interface ExtensionRow {
  readonly user_name: string;
  readonly note: string;
  readonly until: Date | null;
}

const LATEST = Date.UTC(9999, 0, 1);

/** A student's name. Throws LanistaError `not_found` to who takes no part in the course. */
export async function studentName(db: Db | Tx, spaceId: string, userId: string): Promise<string> {
  const member = await db
    .selectFrom("members as m")
    .innerJoin("user as u", "u.id", "m.user_id")
    .select("u.name")
    .where("m.space_id", "=", spaceId)
    .where("m.user_id", "=", userId)
    .executeTakeFirst();
  if (member === undefined) throw notFound("the student");
  return member.name;
}

export async function setExtension(
  tx: Tx,
  task: TaskRow,
  userId: string,
  until: Date,
  note: string,
): Promise<ExtensionRow> {
  const user_name = await studentName(tx, task.space_id, userId);
  if (!(until.getTime() > 0 && until.getTime() < LATEST))
    throw new LanistaError("invalid", "that is no time to come", { field: "until" });
  await tx
    .insertInto("task_extensions")
    .values({ task_id: task.id, user_id: userId, until, note })
    .onConflict((conflict) => conflict.columns(["task_id", "user_id"]).doUpdateSet({ until, note }))
    .execute();
  return { user_name, note, until };
}

/** Twice is once. */
export async function removeExtension(tx: Tx, task: TaskRow, userId: string): Promise<ExtensionRow> {
  const user_name = await studentName(tx, task.space_id, userId);
  await tx.deleteFrom("task_extensions").where("task_id", "=", task.id).where("user_id", "=", userId).execute();
  return { user_name, note: "", until: null };
}

/** One row more than the page has. */
export async function listExtensions(db: Db, taskId: string, { size, after }: PageWanted) {
  let query = db
    .selectFrom("task_extensions as e")
    .innerJoin("user as u", "u.id", "e.user_id")
    .selectAll("e")
    .select("u.name as user_name")
    .where("e.task_id", "=", taskId);
  if (after !== null) query = query.where("e.user_id", ">", String(after[0]));
  return await query
    .orderBy("e.user_id")
    .limit(size + 1)
    .execute();
}

export async function extensionOf(db: Db | Tx, taskId: string, userId: string): Promise<Date | null> {
  const row = await db
    .selectFrom("task_extensions")
    .select("until")
    .where("task_id", "=", taskId)
    .where("user_id", "=", userId)
    .executeTakeFirst();
  return row?.until ?? null;
}
