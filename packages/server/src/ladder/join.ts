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

/**
 * Gives why it could not, for people; undefined where it did. What was asked when it was handed in is asked again here, under the
 * ladder's lock: meanwhile the ladder may have been frozen, and a validation that was put back may find that its owner has
 * another agent there.
 */
export async function joinLadder(app: App, tx: Tx, joining: Joining): Promise<string | undefined> {
  const { ladderId, agentId, versionId } = joining;
  const { rules, state } = await tx
    .selectFrom("ladders")
    .select(["rules", "state"])
    .where("id", "=", ladderId)
    // Before the agent's row: the order in which ends of matches lock them.
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  if (state !== "open") return `the ladder is ${state}: hand the version in again when it is open`;
  const { placementMatches, agentsPerParticipant } = ladderRules({ rules });
  const others = await activeOthers(tx, ladderId, agentId, agentsPerParticipant);
  if (others !== undefined)
    return `a participant may have ${agentsPerParticipant} agents on this ladder, and ${others} there already: withdraw one and hand this one in again`;
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

/** The names of the owner's other agents on it, where this one would be one too many; one that is there already never is. */
async function activeOthers(tx: Tx, ladderId: string, agentId: string, most: number): Promise<string | undefined> {
  const { rows } = await sql<{ own: boolean; name: string }>`
    SELECT a.id = ${agentId} AS own, a.name FROM agents me JOIN agents a ON a.owner_id = me.owner_id
    JOIN ladder_agents l ON l.agent_id = a.id
    WHERE me.id = ${agentId} AND l.ladder_id = ${ladderId} AND l.active`.execute(tx);
  if (rows.some(({ own }) => own) || rows.length < most) return undefined;
  const names = rows.map(({ name }) => name).join(", ");
  return rows.length === 1 ? `${names} is` : `${names} are`;
}
