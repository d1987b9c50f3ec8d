/**
 * The first administrator. As long as there is none, each start draws a one-time token and prints it; who has it, and so
 * can read the server's output, makes himself the administrator with it.
 */
import { timingSafeEqual } from "node:crypto";
import { LanistaError } from "@lanista/api/errors";
import { v7 as uuid } from "uuid";
import { z } from "zod";
import type { App } from "../app.ts";
import { hashSecret, newSecret } from "../auth/secrets.ts";
import type { Db, Tx } from "../db/database.ts";
import type { Accounts } from "./accounts.ts";
import { setSetting } from "./settings.ts";

const KEY = "administrator.init";
const START = "init_";

/** A new one-time token, the one before void; null where there is an administrator. */
export async function drawInitSecret(db: Db): Promise<string | null> {
  return await db.transaction().execute(async (tx) => {
    if (await hasAdministrator(tx)) return null;
    const { secret, hash } = newSecret(START);
    await setSetting(tx, KEY, hash.toString("base64"));
    return secret;
  });
}

export async function hasAdministrator(db: Db | Tx): Promise<boolean> {
  const row = await db.selectFrom("user").select("id").where("administrator", "=", true).limit(1).executeTakeFirst();
  return row !== undefined;
}

/**
 * Gives the new administrator's id. The account is made by the accounts' own code, outside the transaction that uses the
 * token up; where a crash came between, the same name and password go on from there.
 * Throws LanistaError `forbidden` for a token that is not the one.
 */
export async function initAdministrator(
  app: App,
  accounts: Accounts,
  secret: string,
  person: { name: string; email: string; password: string },
): Promise<string> {
  return await app.db.transaction().execute(async (tx) => {
    const row = await tx.selectFrom("settings").select("value").where("key", "=", KEY).forUpdate().executeTakeFirst();
    const hash = Buffer.from(z.string().catch("").parse(row?.value), "base64");
    const given = hashSecret(secret);
    if (hash.length !== given.length || !timingSafeEqual(hash, given) || (await hasAdministrator(tx)))
      throw new LanistaError("forbidden", "this is not the one-time token, or it was used", {
        hint: "The server prints a new one at each start as long as it has no administrator.",
      });
    const id = await makeAccount(app.db, accounts, person);
    await tx
      .updateTable("user")
      .set({ administrator: true, organiser: true, emailVerified: true })
      .where("id", "=", id)
      .execute();
    await tx.deleteFrom("settings").where("key", "=", KEY).execute();
    await tx
      .insertInto("audit")
      .values({
        id: uuid(),
        actor: `user:${id}`,
        action: "lanista.v1.TokenService/InitAdministrator",
        subject: id,
        space_id: null,
        detail: "{}",
      })
      .execute();
    return id;
  });
}

async function makeAccount(
  db: Db,
  accounts: Accounts,
  person: { name: string; email: string; password: string },
): Promise<string> {
  try {
    return await accounts.create(person);
  } catch (error) {
    if (!(error instanceof LanistaError) || error.code !== "exists") throw error;
    if (!(await accounts.passwordIs(person.email, person.password))) throw error;
    const row = await db
      .selectFrom("user")
      .select("id")
      .where("email", "=", person.email.toLowerCase())
      .executeTakeFirst();
    if (row === undefined) throw error;
    return row.id;
  }
}
