/**
 * May this caller touch this object? The interceptor has checked the method's scopes; what depends on the object is asked
 * here, by every handler. An object in a space the caller is no member of does not exist for him.
 */
import { LanistaError } from "@lanista/api/errors";
import type { Selectable } from "kysely";
import { validate as isUuid } from "uuid";
import type { Db, Tx } from "../db/database.ts";
import type { Role, SpacesTable } from "../db/types.ts";
import type { Caller } from "./caller.ts";

export type { Role };
export type SpaceRow = Selectable<SpacesTable>;

const RANKS: Readonly<Record<Role, number>> = {
  guest: 0,
  participant: 1,
  assistant: 2,
  organiser: 3,
  administrator: 4,
};

/** Whether who has `role` passes where `least` is asked for. */
export const atLeast = (role: Role, least: Role): boolean => RANKS[role] >= RANKS[least];

/** An administrator's session or token of that scope. */
export function isAdministrator(caller: Caller): boolean {
  return caller.scopes.has("administrator");
}

/** The caller's role in a space; null for none. The server's administrators are administrators everywhere. */
export async function roleIn(db: Db | Tx, caller: Caller, spaceId: string): Promise<Role | null> {
  if (caller.spaceId !== null && caller.spaceId !== spaceId) return null;
  if (isAdministrator(caller)) return "administrator";
  if (caller.user === null) return null;
  const member = await db
    .selectFrom("members")
    .select("role")
    .where("space_id", "=", spaceId)
    .where("user_id", "=", caller.user.id)
    .executeTakeFirst();
  if (member === undefined) return null;
  // A participant's token of somebody who is more than that in the space stays a participant's.
  return atLeast(member.role, "assistant") && !caller.scopes.has("organiser") ? "participant" : member.role;
}

const ONLY: Readonly<Record<Role, string>> = {
  guest: "a member of the space",
  participant: "who takes part in the space",
  assistant: "staff of the course",
  organiser: "an organiser of the space",
  administrator: "an administrator of the course",
};

/** Throws `not_found` to who is no member, `forbidden` to who is less than `least`. `what` is for the sentence. */
export async function requireRole(
  db: Db | Tx,
  caller: Caller,
  spaceId: string,
  least: Role,
  what = "it",
): Promise<Role> {
  const role = await roleIn(db, caller, spaceId);
  if (role === null) throw notFound(what);
  if (!atLeast(role, least)) throw new LanistaError("forbidden", `only ${ONLY[least]} may do this`);
  return role;
}

/** The object must be the caller's own, unless his role in its space is `others` or more. Others' does not exist for him. */
export async function requireOwn(
  db: Db | Tx,
  caller: Caller,
  object: { readonly spaceId: string; readonly ownerId: string | null },
  what = "it",
  others: Role = "organiser",
): Promise<Role> {
  const role = await requireRole(db, caller, object.spaceId, "participant", what);
  if (atLeast(role, others)) return role;
  if (caller.user === null || object.ownerId !== caller.user.id) throw notFound(what);
  return role;
}

/**
 * An object that lies in no space: its owner's and administrators', but of no token that is bound to a space. Throws LanistaError
 * `not_found`.
 */
export function requireOutside(caller: Caller, ownerId: string | null, what: string): void {
  const mine = caller.user !== null && caller.user.id === ownerId;
  if (caller.spaceId !== null || !(mine || isAdministrator(caller))) throw notFound(what);
}

/** A space by id or slug, for a member with at least this role. */
export async function requireSpace(
  db: Db | Tx,
  caller: Caller,
  idOrSlug: string,
  least: Role,
): Promise<{ space: SpaceRow; role: Role }> {
  const space = await db
    .selectFrom("spaces")
    .selectAll()
    .where(isUuid(idOrSlug) ? "id" : "slug", "=", idOrSlug)
    .executeTakeFirst();
  if (space === undefined) throw notFound("the space");
  return { space, role: await requireRole(db, caller, space.id, least, "the space") };
}

export function notFound(what: string): LanistaError {
  return new LanistaError("not_found", `${what} does not exist, or is not yours to see`);
}

/** The person who calls. Throws `forbidden` to machines. */
export function requireUser(caller: Caller): NonNullable<Caller["user"]> {
  if (caller.user === null) throw new LanistaError("forbidden", "only a person's token may do this");
  return caller.user;
}
