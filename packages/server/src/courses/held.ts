/**
 * What was brought over for somebody who has not come in yet is held for his address. It becomes his when he is a member and the
 * address is known to be his, or when he comes in by the invitation that was made out to it.
 */
import { sql } from "kysely";
import { lockMember } from "../agents/bundles.ts";
import type { Tx } from "../db/database.ts";
import { recountLateness } from "./lateness.ts";
import { settingsOf } from "./settings.ts";

/** Whoever brings something over for an address, or claims it, does so one after the other; taken before lockMember. */
export async function lockHeld(tx: Tx, spaceId: string, email: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`held ${spaceId} ${email}`}, 0))`.execute(tx);
}

/** How many became his. `email`: known to be his, as it is. In one space where he is a member, or in all. */
export async function claimHeld(tx: Tx, userId: string, email: string, spaceId?: string): Promise<number> {
  let query = tx.selectFrom("members").select("space_id").where("user_id", "=", userId).orderBy("space_id");
  if (spaceId !== undefined) query = query.where("space_id", "=", spaceId);
  let claimed = 0;
  for (const { space_id } of await query.execute()) claimed += await claimIn(tx, space_id, userId, email.toLowerCase());
  return claimed;
}

/** The same for an account's own address, if it is confirmed. */
export async function claimOwn(tx: Tx, userId: string, spaceId?: string): Promise<void> {
  const user = await tx
    .selectFrom("user")
    .select("email")
    .where("id", "=", userId)
    .where("emailVerified", "=", true)
    .where("locked", "=", false)
    .executeTakeFirst();
  if (user !== undefined) await claimHeld(tx, userId, user.email, spaceId);
}

async function claimIn(tx: Tx, spaceId: string, userId: string, email: string): Promise<number> {
  await lockHeld(tx, spaceId, email);
  const held = await tx
    .selectFrom("task_submissions as s")
    .innerJoin("tasks as t", "t.id", "s.task_id")
    .select(["s.id", "s.task_id", "t.settings"])
    .where("s.space_id", "=", spaceId)
    .where("s.held_for", "=", email)
    .orderBy("s.number")
    .forUpdate("s")
    .execute();
  if (held.length === 0) return 0;
  await lockMember(tx, spaceId, userId);
  for (const { id, task_id } of held)
    await tx
      .updateTable("task_submissions")
      .set({ owner_id: userId, held_for: null, number: await nextNumber(tx, task_id, { owner: userId, held: null }) })
      .where("id", "=", id)
      .execute();
  for (const [taskId, task] of new Map(held.map((row) => [row.task_id, row])))
    await recountLateness(tx, taskId, settingsOf(task).graceMinutes, userId);
  return held.length;
}

/** Whose something is: an account's, or an address's. */
export type Holder = { readonly owner: string; readonly held: null } | { readonly owner: null; readonly held: string };

/** 1, 2, 3, … of each holder's for a task. Under his lock. */
export async function nextNumber(tx: Tx, taskId: string, { owner, held }: Holder): Promise<number> {
  const query = tx
    .selectFrom("task_submissions")
    .select((eb) => eb.fn.max("number").as("last"))
    .where("task_id", "=", taskId);
  const { last } = await (owner === null
    ? query.where("held_for", "=", held)
    : query.where("owner_id", "=", owner)
  ).executeTakeFirstOrThrow();
  return (last ?? 0) + 1;
}
