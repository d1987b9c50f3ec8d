/**
 * Who sets a forgotten password anew may do so to be rid of somebody else: with the sessions, which better-auth ends, go the
 * person's tokens and what other one-time tokens for a password he was sent. Machines' tokens stay.
 */
import { sql } from "kysely";
import { ACCOUNTS_CHANGED } from "../auth/callers.ts";
import type { Db } from "../db/database.ts";
import type { Events } from "../events.ts";

export async function endAccess(db: Db, events: Events, userId: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .updateTable("tokens")
      .set({ revoked_at: sql<Date>`now()` })
      .where("user_id", "=", userId)
      .where("revoked_at", "is", null)
      .execute();
    await sql`DELETE FROM "verification" WHERE "value" = ${userId}`.execute(tx);
    await events.publish(tx, ACCOUNTS_CHANGED);
  });
}
