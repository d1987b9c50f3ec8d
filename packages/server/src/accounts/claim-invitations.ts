/**
 * What rosters meant for an address becomes its owner's, once the address is confirmed: until then anybody could have made an
 * account with it.
 */
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import { claimOwn } from "../courses/held.ts";
import type { Tx } from "../db/database.ts";
import { joinSpace } from "./invitations.ts";

/** Those of one space, or all. Twice is once. Gives the spaces. */
export async function claimInvitations(app: App, tx: Tx, userId: string, spaceId?: string): Promise<void> {
  const { rows } = await sql<{ space_id: string; role: Parameters<typeof joinSpace>[2]["role"]; group_name: string }>`
    UPDATE invitations i SET uses_left = 0 FROM "user" u
    WHERE u.id = ${userId} AND u."emailVerified" AND NOT u.locked AND i.email = lower(u.email) AND i.uses_left > 0
      AND i.revoked_at IS NULL AND i.expires_at > now() AND (${spaceId ?? null}::uuid IS NULL OR i.space_id = ${spaceId ?? null}::uuid)
    RETURNING i.space_id, i.role, i.group_name`.execute(tx);
  for (const { space_id, role, group_name: group } of rows) {
    await joinSpace(app, tx, { spaceId: space_id, userId, role, group });
    await tx
      .insertInto("audit")
      .values({
        id: uuid(),
        actor: `user:${userId}`,
        action: "invitation claimed by its address",
        subject: userId,
        space_id,
        detail: "{}",
      })
      .execute();
  }
  // Of courses that he was a member of before, as well.
  await claimOwn(tx, userId, spaceId);
}
