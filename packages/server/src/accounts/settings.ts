/** What the server remembers of itself in the table `settings`. */
import { randomBytes } from "node:crypto";
import type { Db, Tx } from "../db/database.ts";

/** A secret drawn at the first start; the same on every server of the database. */
export async function lastingSecret(db: Db, key: string): Promise<string> {
  await db
    .insertInto("settings")
    .values({ key, value: JSON.stringify(randomBytes(48).toString("base64url")) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await db.selectFrom("settings").select("value").where("key", "=", key).executeTakeFirstOrThrow();
  return String(row.value);
}

export async function setSetting(db: Db | Tx, key: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value);
  await db
    .insertInto("settings")
    .values({ key, value: text })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: text }))
    .execute();
}
