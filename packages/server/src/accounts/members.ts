/** A space's members. It keeps at least one organiser: who takes the last one's role away is refused, also of two at once. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import { SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import type { MemberSchema } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { notFound, type Role } from "../auth/access.ts";
import type { Db, Tx } from "../db/database.ts";
import type { PageWanted } from "../rpc/paging.ts";

export interface MemberRow {
  readonly user_id: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly joined_at: Date;
}

export const roleNumber = (role: Role): SpaceRole =>
  role === "organiser" ? SpaceRole.ORGANISER : SpaceRole.PARTICIPANT;

/** Validation has refused the unspecified one. */
export const roleOf = (role: SpaceRole): Role => (role === SpaceRole.ORGANISER ? "organiser" : "participant");

const membersOf = (db: Db | Tx, spaceId: string) =>
  db
    .selectFrom("members as m")
    .innerJoin("user as u", "u.id", "m.user_id")
    .select(["m.user_id", "u.name", "u.email", "m.role", "m.joined_at"])
    .where("m.space_id", "=", spaceId);

/** One row more than the page has. */
export async function listMembers(db: Db, spaceId: string, { size, after }: PageWanted): Promise<MemberRow[]> {
  let query = membersOf(db, spaceId);
  if (after !== null) query = query.where("m.user_id", ">", String(after[0]));
  return await query
    .orderBy("m.user_id")
    .limit(size + 1)
    .execute();
}

export async function setMember(tx: Tx, spaceId: string, userId: string, role: Role): Promise<MemberRow> {
  await lockOrganisers(tx, spaceId);
  const { numUpdatedRows } = await tx
    .updateTable("members")
    .set({ role })
    .where("space_id", "=", spaceId)
    .where("user_id", "=", userId)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw notFound("the member");
  await mustHaveOrganiser(tx, spaceId);
  return await membersOf(tx, spaceId).where("m.user_id", "=", userId).executeTakeFirstOrThrow();
}

export async function removeMember(tx: Tx, spaceId: string, userId: string): Promise<void> {
  await lockOrganisers(tx, spaceId);
  const { numDeletedRows } = await tx
    .deleteFrom("members")
    .where("space_id", "=", spaceId)
    .where("user_id", "=", userId)
    .executeTakeFirst();
  if (numDeletedRows === 0n) throw notFound("the member");
  await mustHaveOrganiser(tx, spaceId);
}

/** Two that each take another's role away go one after the other. */
async function lockOrganisers(tx: Tx, spaceId: string): Promise<void> {
  await tx.selectFrom("spaces").select("id").where("id", "=", spaceId).forNoKeyUpdate().execute();
}

async function mustHaveOrganiser(tx: Tx, spaceId: string): Promise<void> {
  const one = await tx
    .selectFrom("members")
    .select("user_id")
    .where("space_id", "=", spaceId)
    .where("role", "=", "organiser")
    .limit(1)
    .executeTakeFirst();
  if (one === undefined)
    throw new LanistaError("conflict", "a space keeps at least one organiser", {
      hint: "Make somebody else an organiser first.",
    });
}

export function memberMessage(row: MemberRow): MessageInitShape<typeof MemberSchema> {
  return {
    userId: row.user_id,
    name: row.name,
    email: row.email,
    role: roleNumber(row.role),
    joinedAt: timestampFromDate(row.joined_at),
  };
}
