/** Whose matches are whose: a ladder's are its space's; a requested one belongs to who asked for it. */
import type { Selectable } from "kysely";
import { atLeast, notFound, requireOutside, requireRole } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import type { MatchesTable } from "../db/types.ts";

export type MatchRow = Selectable<MatchesTable>;

/** Throws LanistaError `not_found`. */
export async function visibleMatch(db: Db | Tx, caller: Caller, id: string): Promise<MatchRow> {
  const row = await db.selectFrom("matches").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound("the match");
  const mine = caller.user !== null && row.owner_id === caller.user.id;
  if (row.space_id === null) {
    requireOutside(caller, row.owner_id, "the match");
    return row;
  }
  const role = await requireRole(db, caller, row.space_id, "participant", "the match");
  if (row.reason === "requested" && !mine && !atLeast(role, "organiser")) throw notFound("the match");
  return row;
}
