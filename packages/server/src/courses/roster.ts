/**
 * Brings a course's members in line with a roster. An account whose address is confirmed becomes a member at once; everybody else
 * gets an invitation of his own, claimed when his address is (accounts/claim-invitations.ts), or by its code. Who is not on the
 * list stays, and nobody becomes less than he is by it: a course whose list was cut off in the middle is not emptied.
 */
import { RosterRow_Action } from "@lanista/api/gen/lanista/v1/courses_pb";
import { sql } from "kysely";
import { createInvitation, joinSpace } from "../accounts/invitations.ts";
import { checkGiving } from "../accounts/members.ts";
import type { App } from "../app.ts";
import { atLeast, type Role, type SpaceRow } from "../auth/access.ts";
import type { Tx } from "../db/database.ts";
import type { RosterPerson } from "./roster-csv.ts";

const YEAR_SECONDS = 31_536_000;

export interface RosterChange extends RosterPerson {
  readonly action: RosterRow_Action;
  readonly code: string;
}

interface Known {
  readonly email: string;
  readonly user_id: string | null;
  readonly confirmed: boolean | null;
  readonly member_role: Role | null;
  readonly member_group: string | null;
  readonly invitation_id: string | null;
  readonly invited_role: Role | null;
  readonly invited_group: string | null;
}

/** `by`: the role of the caller. Throws LanistaError `forbidden` where he may not give a role in it. */
export async function importRoster(
  app: App,
  tx: Tx,
  space: SpaceRow,
  by: { readonly id: string; readonly role: Role },
  people: readonly RosterPerson[],
  dryRun: boolean,
): Promise<readonly RosterChange[]> {
  // Two imports at once go one after the other.
  await tx.selectFrom("spaces").select("id").where("id", "=", space.id).forNoKeyUpdate().execute();
  const known = await knownOf(tx, space.id, people);
  const changes: RosterChange[] = [];
  for (const person of people) {
    const one = known.get(person.email);
    const change = changeOf(person, one);
    if (change !== RosterRow_Action.UNCHANGED) checkGiving(space, by.role, person.role);
    const code = dryRun ? "" : await make(app, tx, space, by.id, person, one, change);
    changes.push({ ...person, action: change, code });
  }
  return changes;
}

/** An account of an address nobody has confirmed may be anybody's; but who is a member already was let in. */
function changeOf({ role, group }: RosterPerson, one: Known | undefined): RosterRow_Action {
  const { UNCHANGED, JOINED, CHANGED, INVITED } = RosterRow_Action;
  if (one?.member_role) return rises(one.member_role, role) || one.member_group !== group ? CHANGED : UNCHANGED;
  if (one?.user_id && one.confirmed) return JOINED;
  if (!one?.invitation_id) return INVITED;
  return one.invited_role === role && one.invited_group === group ? UNCHANGED : CHANGED;
}

const rises = (from: Role, to: Role): boolean => !atLeast(from, to);

async function make(
  app: App,
  tx: Tx,
  space: SpaceRow,
  by: string,
  { role, group, email, name }: RosterPerson,
  one: Known | undefined,
  change: RosterRow_Action,
): Promise<string> {
  const spaceId = space.id;
  const userId = one?.user_id ?? "";
  if (change === RosterRow_Action.JOINED) {
    await joinSpace(app, tx, { spaceId, userId, role, group });
    if (one?.invitation_id) await revoke(tx, one.invitation_id);
  }
  if (change === RosterRow_Action.CHANGED && one?.member_role) {
    await joinSpace(app, tx, { spaceId, userId, role });
    await tx
      .updateTable("members")
      .set({ group_name: group })
      .where("space_id", "=", spaceId)
      .where("user_id", "=", userId)
      .execute();
  } else if (change === RosterRow_Action.CHANGED)
    await tx
      .updateTable("invitations")
      .set({ role, group_name: group })
      .where("id", "=", one?.invitation_id ?? null)
      .execute();
  if (change !== RosterRow_Action.INVITED) return "";
  // One that ran out stands in the way of the new one.
  await tx
    .updateTable("invitations")
    .set({ revoked_at: sql<Date>`now()` })
    .where("space_id", "=", spaceId)
    .where("email", "=", email)
    .where("revoked_at", "is", null)
    .where("uses_left", ">", 0)
    .execute();
  const wanted = { role, group, email, seconds: YEAR_SECONDS, uses: 1, note: name };
  return (await createInvitation(tx, spaceId, by, wanted)).code;
}

async function revoke(tx: Tx, id: string): Promise<void> {
  await tx.updateTable("invitations").set({ revoked_at: sql<Date>`now()` }).where("id", "=", id).execute();
}

async function knownOf(tx: Tx, spaceId: string, people: readonly RosterPerson[]): Promise<Map<string, Known>> {
  const { rows } = await sql<Known>`
    SELECT listed.email, u.id AS user_id, u."emailVerified" AS confirmed, m.role AS member_role,
      m.group_name AS member_group, i.id AS invitation_id, i.role AS invited_role, i.group_name AS invited_group
    FROM unnest(${people.map(({ email }) => email)}::text[]) AS listed (email)
    LEFT JOIN "user" u ON u.email = listed.email
    LEFT JOIN members m ON m.user_id = u.id AND m.space_id = ${spaceId}
    LEFT JOIN invitations i ON i.email = listed.email AND i.space_id = ${spaceId} AND i.uses_left > 0
      AND i.revoked_at IS NULL AND i.expires_at > now()`.execute(tx);
  return new Map(rows.map((row) => [row.email, row]));
}
