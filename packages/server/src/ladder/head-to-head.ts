/** Who beat whom how often. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HeadToHeadSchema } from "@lanista/api/gen/lanista/v1/ladders_pb";
import { sql } from "kysely";
import type { Db } from "../db/database.ts";

const FIRST = 30;

/**
 * Every pair of these agents that met, each once; of the board's first thirty where none are named. `only`: a person's
 * id, for the pairs with an agent of that person in them alone.
 */
export async function headToHead(
  db: Db,
  ladderId: string,
  named: readonly string[],
  only: string | null,
): Promise<MessageInitShape<typeof HeadToHeadSchema>[]> {
  const agents = named.length > 0 ? [...named] : await first(db, ladderId);
  let query = db
    .selectFrom("head_to_head as h")
    .innerJoin("agents as a", "a.id", "h.agent_a")
    .innerJoin("agents as b", "b.id", "h.agent_b")
    .select(["h.agent_a", "h.agent_b", "h.a_wins", "h.draws", "h.b_wins", "a.name as a_name", "b.name as b_name"])
    .where("h.ladder_id", "=", ladderId)
    .where(sql<boolean>`h.agent_a = ANY(${agents}::uuid[])`)
    .where(sql<boolean>`h.agent_b = ANY(${agents}::uuid[])`);
  if (only !== null) query = query.where((eb) => eb.or([eb("a.owner_id", "=", only), eb("b.owner_id", "=", only)]));
  const rows = await query.orderBy("h.agent_a").orderBy("h.agent_b").execute();
  return rows.map((row) => ({
    agentId: row.agent_a,
    opponentId: row.agent_b,
    agentName: row.a_name,
    opponentName: row.b_name,
    wins: row.a_wins,
    draws: row.draws,
    losses: row.b_wins,
  }));
}

async function first(db: Db, ladderId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("ladder_agents")
    .select("agent_id")
    .where("ladder_id", "=", ladderId)
    .where("active", "=", true)
    .orderBy("rating", "desc")
    .orderBy("agent_id")
    .limit(FIRST)
    .execute();
  return rows.map(({ agent_id }) => agent_id);
}
