/**
 * Invitations: a code, stored hashed, that lets some people into a space with a role. A use is taken by one statement, so
 * that no two people get the last one.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import type { InvitationSchema } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { type Selectable, sql } from "kysely";
import { v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import { atLeast, type Role } from "../auth/access.ts";
import { ACCOUNTS_CHANGED } from "../auth/callers.ts";
import { hashSecret, newSecret } from "../auth/secrets.ts";
import { claimHeld, claimOwn } from "../courses/held.ts";
import type { Db, Tx } from "../db/database.ts";
import type { InvitationsTable } from "../db/types.ts";
import type { PageWanted } from "../rpc/paging.ts";
import { roleNumber } from "./members.ts";

export interface TakenInvitation {
  readonly id: string;
  readonly spaceId: string;
  readonly role: Role;
  readonly group: string;
  /** Makes the person a member. Whether that changed anything. */
  join(app: App, tx: Tx, userId: string): Promise<boolean>;
}

/** Uses the invitation once. Throws LanistaError `not_found` where it is none, revoked, too old or used up. */
export async function takeUse(db: Db | Tx, code: string): Promise<TakenInvitation> {
  const row = await db
    .updateTable("invitations")
    .set({ uses_left: sql<number>`uses_left - 1` })
    .where("code_hash", "=", hashSecret(code))
    .where("uses_left", ">", 0)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", sql<Date>`now()`)
    .returning(["id", "space_id", "role", "group_name", "email"])
    .executeTakeFirst();
  if (row === undefined)
    throw new LanistaError("not_found", "the invitation is none, ran out, was revoked or is used up", {
      hint: "Ask whoever invited you for a new one.",
    });
  const { id, space_id: spaceId, role, group_name: group, email } = row;
  return {
    id,
    spaceId,
    role,
    group,
    join: async (app, tx, userId) => {
      const joined = await joinSpace(app, tx, { spaceId, userId, role, group });
      // Who was given what is made out to an address is whom it was meant for.
      const claimed = email === null ? 0 : await claimHeld(tx, userId, email, spaceId);
      return joined || claimed > 0;
    },
  };
}

export async function returnUse(db: Db | Tx, id: string): Promise<void> {
  await db.updateTable("invitations").set({ uses_left: sql<number>`uses_left + 1` }).where("id", "=", id).execute();
}

/** Who is a member already becomes no less than he is. Whether it changed anything. */
export async function joinSpace(
  app: App,
  tx: Tx,
  { spaceId, userId, role, group = "" }: { spaceId: string; userId: string; role: Role; group?: string },
): Promise<boolean> {
  const lower = (["guest", "participant", "assistant", "organiser"] as const).filter((one) => !atLeast(one, role));
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto("members")
    .values({ space_id: spaceId, user_id: userId, role, group_name: group })
    .onConflict((conflict) =>
      lower.length > 0
        ? conflict.columns(["space_id", "user_id"]).doUpdateSet({ role }).where("members.role", "in", lower)
        : conflict.columns(["space_id", "user_id"]).doNothing(),
    )
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 0n) return false;
  await claimOwn(tx, userId, spaceId);
  await app.events.publish(tx, ACCOUNTS_CHANGED);
  return true;
}

export type InvitationRow = Selectable<InvitationsTable>;

/** The code is in the answer and nowhere else. */
export async function createInvitation(
  tx: Tx,
  spaceId: string,
  createdBy: string,
  wanted: { role: Role; seconds: number; uses: number; note: string; email?: string; group?: string },
): Promise<{ row: InvitationRow; code: string }> {
  const { secret: code, hash } = newSecret("invite_");
  const row = await tx
    .insertInto("invitations")
    .values({
      id: uuid(),
      space_id: spaceId,
      role: wanted.role,
      code_hash: hash,
      note: wanted.note,
      email: wanted.email ?? null,
      group_name: wanted.group ?? "",
      uses_left: wanted.uses,
      expires_at: sql<Date>`now() + make_interval(secs => ${wanted.seconds})`,
      created_by: createdBy,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { row, code };
}

/** Those that can still be used, in the order they were made. One row more than the page has. */
export async function listInvitations(db: Db, spaceId: string, { size, after }: PageWanted): Promise<InvitationRow[]> {
  let query = db
    .selectFrom("invitations")
    .selectAll()
    .where("space_id", "=", spaceId)
    .where("revoked_at", "is", null)
    .where("uses_left", ">", 0)
    .where("expires_at", ">", sql<Date>`now()`);
  if (after !== null) query = query.where(sql<boolean>`id > ${String(after[0])}::uuid`);
  return await query
    .orderBy("id")
    .limit(size + 1)
    .execute();
}

/** Twice is once. */
export async function revokeInvitation(tx: Tx, id: string): Promise<void> {
  await tx
    .updateTable("invitations")
    .set({ revoked_at: sql<Date>`now()` })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .execute();
}

export function invitationMessage(row: InvitationRow): MessageInitShape<typeof InvitationSchema> {
  return {
    id: row.id,
    role: roleNumber(row.role),
    expiresAt: timestampFromDate(row.expires_at),
    usesLeft: row.uses_left,
    createdAt: timestampFromDate(row.created_at),
    note: row.note,
    email: row.email ?? "",
    group: row.group_name,
  };
}
