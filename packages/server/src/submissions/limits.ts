/** What a person may hand in: how often a day, and with how many agents on one ladder. */
import { LanistaError } from "@lanista/api/errors";
import { sql } from "kysely";
import type { SpaceRow } from "../auth/access.ts";
import type { Tx } from "../db/database.ts";

/**
 * Throws LanistaError `quota_exceeded`. Under the member's lock (`lockMember`). The day is UTC's, by the database's clock.
 * Cancelled submissions and those that faults of ours ended do not count.
 */
export async function checkDailySubmissions(tx: Tx, space: SpaceRow, userId: string): Promise<void> {
  if (space.daily_submissions === 0) return;
  const { made } = await tx
    .selectFrom("submissions")
    .select((eb) => eb.fn.countAll<number>().as("made"))
    .where("owner_id", "=", userId)
    .where("space_id", "=", space.id)
    .where("created_at", ">=", sql<Date>`date_trunc('day', now(), 'UTC')`)
    .where("state", "not in", ["cancelled", "failed"])
    .executeTakeFirstOrThrow();
  if (made >= space.daily_submissions)
    throw new LanistaError("quota_exceeded", `you made ${made} of ${space.daily_submissions} submissions today`, {
      hint: "The count begins anew at 00:00 UTC.",
    });
}

/**
 * Throws LanistaError `quota_exceeded` where a further agent of the person's would be one too many on the ladder. Agents
 * that are being validated count as if they were on it. Under the member's lock.
 */
export async function checkAgentsOnLadder(
  tx: Tx,
  ladderId: string,
  userId: string,
  agentId: string,
  most: number,
): Promise<void> {
  const { rows: active } = await sql<{ name: string }>`
    SELECT a.name FROM agents a WHERE a.owner_id = ${userId} AND a.id <> ${agentId} AND (
      EXISTS (SELECT FROM ladder_agents l WHERE l.ladder_id = ${ladderId} AND l.agent_id = a.id AND l.active)
      OR EXISTS (SELECT FROM submissions s WHERE s.owner_id = ${userId} AND s.space_id = a.space_id
                 AND s.ladder_id = ${ladderId} AND s.agent_id = a.id AND s.state = 'validating'))
    LIMIT ${most}`.execute(tx);
  if (active.length >= most)
    throw new LanistaError(
      "quota_exceeded",
      `a participant may have ${most} on this ladder, and you have ${active.map((each) => each.name).join(", ")}`,
      {
        hint: "Hand in a new version of it, or withdraw it first.",
      },
    );
}
