/**
 * A version becomes an agent's active one on a ladder. The rating stays with the agent, so that handing in again gains
 * nothing; that it grows less certain is the log's to say, with the version's first match (rating.ts). The matchmaker
 * counts on it at once.
 */
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import { INITIAL_MU, INITIAL_SIGMA, NEWCOMER } from "./rating.ts";
import { ladderRules } from "./rules.ts";
import { MATCHMAKER_TOPIC } from "./topic.ts";
import { urgencyOf } from "./urgency.ts";

export interface Joining {
  readonly ladderId: string;
  readonly agentId: string;
  readonly versionId: string;
}

export async function joinLadder(app: App, tx: Tx, joining: Joining): Promise<void> {
  const { ladderId, agentId, versionId } = joining;
  const { rules } = await tx
    .selectFrom("ladders")
    .select("rules")
    .where("id", "=", ladderId)
    // Before the agent's row: the order in which ends of matches lock them.
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  const { placementMatches } = ladderRules({ rules });
  await tx
    .insertInto("ladder_agents")
    .values({
      ladder_id: ladderId,
      agent_id: agentId,
      version_id: versionId,
      mu: INITIAL_MU,
      sigma: INITIAL_SIGMA,
      urgency: urgencyOf(NEWCOMER, versionId, placementMatches),
      active: false,
    })
    .onConflict((conflict) => conflict.columns(["ladder_id", "agent_id"]).doNothing())
    .execute();
  const row = await tx
    .selectFrom("ladder_agents")
    .select(["active", "sigma", "matches", "rated_version_id"])
    .where("ladder_id", "=", ladderId)
    .where("agent_id", "=", agentId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  await tx
    .updateTable("ladder_agents")
    .set({
      version_id: versionId,
      active: true,
      urgency: urgencyOf({ ...row, version: row.rated_version_id ?? "" }, versionId, placementMatches),
      // Faults of ours may have been about the version before.
      infra_streak: 0,
      held_until: null,
    })
    .where("ladder_id", "=", ladderId)
    .where("agent_id", "=", agentId)
    .execute();
  if (!row.active)
    await tx.updateTable("ladders").set({ agents: sql<number>`agents + 1` }).where("id", "=", ladderId).execute();
  await app.events.publish(tx, `ladder:${ladderId}`, MATCHMAKER_TOPIC);
}
