/**
 * A version becomes an agent's active one on a ladder. The rating stays with the agent, so that handing in again gains
 * nothing; that it grows less certain is the log's to say, with the version's first match (rating.ts).
 */
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import { INITIAL_MU, INITIAL_SIGMA } from "./rating.ts";

export interface Joining {
  readonly ladderId: string;
  readonly agentId: string;
  readonly versionId: string;
}

export async function joinLadder(app: App, tx: Tx, joining: Joining): Promise<void> {
  const { ladderId, agentId, versionId } = joining;
  await tx
    .insertInto("ladder_agents")
    .values({ ladder_id: ladderId, agent_id: agentId, version_id: versionId, mu: INITIAL_MU, sigma: INITIAL_SIGMA })
    .onConflict((conflict) =>
      conflict.columns(["ladder_id", "agent_id"]).doUpdateSet({ version_id: versionId, active: true }),
    )
    .execute();
  await app.events.publish(tx, `ladder:${ladderId}`);
}
