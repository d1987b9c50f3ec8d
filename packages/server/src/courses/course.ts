/** Courses by id or slug, for who has at least some role in them. */
import { LanistaError } from "@lanista/api/errors";
import { type Role, requireSpace, type SpaceRow } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";

/** Throws LanistaError `not_found`, `forbidden`, and `conflict` for a competition. */
export async function requireCourse(
  db: Db | Tx,
  caller: Caller,
  idOrSlug: string,
  least: Role,
): Promise<{ space: SpaceRow; role: Role }> {
  const found = await requireSpace(db, caller, idOrSlug, least);
  if (found.space.kind !== "course")
    throw new LanistaError("conflict", "this space is a competition: only a course has that", { field: "space" });
  return found;
}
