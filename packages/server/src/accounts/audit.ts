/** Who did what. */
import type { Selectable } from "kysely";
import { sql } from "kysely";
import type { Db } from "../db/database.ts";
import type { AuditTable } from "../db/types.ts";
import type { PageWanted } from "../rpc/paging.ts";

export type AuditRow = Selectable<AuditTable>;

/** Newest first; of one space, or (null) of the whole server. One row more than the page has. */
export async function listAudit(db: Db, spaceId: string | null, { size, after }: PageWanted): Promise<AuditRow[]> {
  let query = db.selectFrom("audit").selectAll();
  if (spaceId !== null) query = query.where("space_id", "=", spaceId);
  if (after !== null) query = query.where(sql<boolean>`id < ${String(after[0])}::uuid`);
  return await query
    .orderBy("id", "desc")
    .limit(size + 1)
    .execute();
}
