/** Matches of a space, newest first. */
import { LanistaError } from "@lanista/api/errors";
import { validate as isUuid } from "uuid";
import type { Db } from "../db/database.ts";
import type { PageWanted } from "../rpc/paging.ts";
import type { MatchRow } from "./access.ts";

export interface MatchFilter {
  readonly spaceId: string;
  readonly ladderId: string | null;
  readonly agentId: string | null;
  /** Requested matches of this person alone; null: everybody's. */
  readonly requestedBy: string | null;
}

/** One row more than the page has. Each filter has an index that ends in the id. */
export async function listMatches(db: Db, wanted: PageWanted, filter: MatchFilter): Promise<MatchRow[]> {
  const { spaceId, ladderId, agentId, requestedBy } = filter;
  const last = wanted.after?.[0];
  if (last !== undefined && !isUuid(last))
    throw new LanistaError("invalid", "the page token is none that this list gave", { field: "page.token" });
  let query = db
    .selectFrom("matches as m")
    .selectAll("m")
    .where("m.space_id", "=", spaceId)
    .orderBy("m.id", "desc")
    .limit(wanted.size + 1);
  if (ladderId !== null) query = query.where("m.ladder_id", "=", ladderId);
  if (requestedBy !== null)
    query = query.where((eb) => eb.or([eb("m.reason", "<>", "requested"), eb("m.owner_id", "=", requestedBy)]));
  if (last !== undefined) query = query.where("m.id", "<", String(last));
  if (agentId === null) return await query.execute();
  return await query
    .where("m.id", "in", (eb) => {
      const seats = eb.selectFrom("match_seats").select("match_id").where("agent_id", "=", agentId);
      return last === undefined ? seats : seats.where("match_id", "<", String(last));
    })
    .execute();
}
