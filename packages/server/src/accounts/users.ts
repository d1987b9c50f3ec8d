/** People, as administrators see them. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import type { UpdateUserRequest, UserSchema } from "@lanista/api/gen/lanista/v1/tokens_pb";
import type { Selectable } from "kysely";
import { notFound } from "../auth/access.ts";
import type { Db, Tx } from "../db/database.ts";
import type { UserTable } from "../db/types.ts";
import type { PageWanted } from "../rpc/paging.ts";

export type UserRow = Selectable<UserTable>;

export function userMessage(row: UserRow): MessageInitShape<typeof UserSchema> {
  const { id, name, email, administrator, organiser, locked } = row;
  const emailConfirmed = row.emailVerified;
  return {
    id,
    name,
    email,
    administrator,
    organiser,
    locked,
    emailConfirmed,
    createdAt: timestampFromDate(row.createdAt),
  };
}

/** By id or address. */
export async function findUser(db: Db | Tx, idOrEmail: string): Promise<UserRow | undefined> {
  return await db
    .selectFrom("user")
    .selectAll()
    .where((eb) => eb.or([eb("id", "=", idOrEmail), eb("email", "=", idOrEmail.toLowerCase())]))
    .executeTakeFirst();
}

/** `search`: part of a name or address, as it is. One row more than the page has. */
export async function listUsers(db: Db, search: string, { size, after }: PageWanted): Promise<UserRow[]> {
  let query = db.selectFrom("user").selectAll();
  if (search !== "") {
    const pattern = `%${search.replace(/[\\%_]/g, "\\$&")}%`;
    query = query.where((eb) => eb.or([eb("name", "ilike", pattern), eb("email", "ilike", pattern)]));
  }
  if (after !== null) query = query.where("id", ">", String(after[0]));
  return await query
    .orderBy("id")
    .limit(size + 1)
    .execute();
}

/** A locked person's sessions end. Throws LanistaError `conflict` where the server would be left without an administrator. */
export async function updateUser(tx: Tx, actorId: string, request: UpdateUserRequest): Promise<UserRow> {
  const { userId, administrator, organiser, locked, emailConfirmed } = request;
  if (userId === actorId && (administrator === false || locked === true))
    throw new LanistaError("conflict", "nobody locks himself out, or takes his own office away", {
      hint: "Let another administrator do it.",
    });
  const row = await tx
    .updateTable("user")
    .set({
      ...(administrator === undefined ? {} : { administrator }),
      ...(organiser === undefined ? {} : { organiser }),
      ...(locked === undefined ? {} : { locked }),
      ...(emailConfirmed === undefined ? {} : { emailVerified: emailConfirmed }),
      updatedAt: new Date(),
    })
    .where("id", "=", userId)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw notFound("the user");
  if (row.locked) await tx.deleteFrom("session").where("userId", "=", row.id).execute();
  return row;
}
