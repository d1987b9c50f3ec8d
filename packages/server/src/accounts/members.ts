/**
 * A space's members. It keeps at least one organiser, a course at least one administrator: who takes the last one's role away is
 * refused, also of two at once. Who is an organiser of a course its administrators alone say, so that no lecturer can turn them out.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import { SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import type { MemberSchema } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { atLeast, notFound, type Role, type SpaceRow } from "../auth/access.ts";
import type { Db, Tx } from "../db/database.ts";
import type { PageWanted } from "../rpc/paging.ts";

export interface MemberRow {
  readonly user_id: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly joined_at: Date;
  readonly group_name: string;
}

const NUMBERS: Readonly<Record<Role, SpaceRole>> = {
  guest: SpaceRole.GUEST,
  participant: SpaceRole.PARTICIPANT,
  assistant: SpaceRole.ASSISTANT,
  organiser: SpaceRole.ORGANISER,
  administrator: SpaceRole.ADMINISTRATOR,
};
const NAMES = new Map(Object.entries(NUMBERS).map(([name, number]) => [number, name as Role]));

export const roleNumber = (role: Role): SpaceRole => NUMBERS[role];

/** Validation has refused the unspecified one. */
export const roleOf = (role: SpaceRole): Role => NAMES.get(role) ?? "participant";

/** Whether somebody of the role `by` may give, or take, this one here. Throws LanistaError `invalid`, `forbidden`. */
export function checkGiving(space: Pick<SpaceRow, "kind">, by: Role, role: Role): void {
  if (space.kind !== "course" && role !== "participant" && role !== "organiser")
    throw new LanistaError("invalid", `a competition has participants and organisers; ${role} is a course's role`, {
      field: "role",
    });
  if (space.kind === "course" && atLeast(role, "organiser") && !atLeast(by, "administrator"))
    throw new LanistaError("forbidden", "only an administrator of the course says who its lecturers are");
}

const membersOf = (db: Db | Tx, spaceId: string) =>
  db
    .selectFrom("members as m")
    .innerJoin("user as u", "u.id", "m.user_id")
    .select(["m.user_id", "u.name", "u.email", "m.role", "m.joined_at", "m.group_name"])
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

/** `by`: the role of whoever does it. */
export async function setMember(tx: Tx, space: SpaceRow, by: Role, userId: string, role: Role): Promise<MemberRow> {
  checkGiving(space, by, role);
  checkGiving(space, by, await lockMemberRole(tx, space.id, userId));
  await tx
    .updateTable("members")
    .set({ role })
    .where("space_id", "=", space.id)
    .where("user_id", "=", userId)
    .execute();
  await mustHaveOrganiser(tx, space);
  return await membersOf(tx, space.id).where("m.user_id", "=", userId).executeTakeFirstOrThrow();
}

export async function removeMember(tx: Tx, space: SpaceRow, by: Role, userId: string): Promise<void> {
  checkGiving(space, by, await lockMemberRole(tx, space.id, userId));
  await tx.deleteFrom("members").where("space_id", "=", space.id).where("user_id", "=", userId).execute();
  await mustHaveOrganiser(tx, space);
}

async function lockMemberRole(tx: Tx, spaceId: string, userId: string): Promise<Role> {
  await lockOrganisers(tx, spaceId);
  const member = await membersOf(tx, spaceId).where("m.user_id", "=", userId).executeTakeFirst();
  if (member === undefined) throw notFound("the member");
  return member.role;
}

/** Two that each take another's role away go one after the other. */
async function lockOrganisers(tx: Tx, spaceId: string): Promise<void> {
  await tx.selectFrom("spaces").select("id").where("id", "=", spaceId).forNoKeyUpdate().execute();
}

async function mustHaveOrganiser(tx: Tx, { id, kind }: SpaceRow): Promise<void> {
  const needed = kind === "course" ? "administrator" : "organiser";
  const one = await tx
    .selectFrom("members")
    .select("user_id")
    .where("space_id", "=", id)
    .where("role", "=", needed)
    .limit(1)
    .executeTakeFirst();
  if (one === undefined)
    throw new LanistaError("conflict", `a ${kind === "course" ? "course" : "space"} keeps at least one ${needed}`, {
      hint: `Make somebody else an ${needed} first.`,
    });
}

export function memberMessage(row: MemberRow): MessageInitShape<typeof MemberSchema> {
  return {
    userId: row.user_id,
    name: row.name,
    email: row.email,
    role: roleNumber(row.role),
    joinedAt: timestampFromDate(row.joined_at),
    group: row.group_name,
  };
}
