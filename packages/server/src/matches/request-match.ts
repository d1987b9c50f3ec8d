/** A match that somebody asks for, and no rating hears of. */
import { LanistaError } from "@lanista/api/errors";
import type { App } from "../app.ts";
import { atLeast, type Role, requireUser } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Tx } from "../db/database.ts";
import { makeMatch } from "../ladder/make-match.ts";
import type { LadderRow } from "../ladder/rows.ts";
import { ladderRules } from "../ladder/rules.ts";

/** Requested matches of one person that may wait or run at once. */
const MOST_LIVE = 10;

/** The match's id. Throws LanistaError. */
export async function requestMatch(
  app: App,
  tx: Tx,
  asked: {
    readonly caller: Caller;
    readonly role: Role;
    readonly ladder: LadderRow;
    readonly agentIds: readonly string[];
  },
): Promise<string> {
  const { caller, role, ladder, agentIds } = asked;
  const user = requireUser(caller);
  const rules = ladderRules(ladder);
  if (agentIds.length !== rules.seats)
    throw new LanistaError("invalid", `a match of this ladder has ${rules.seats} seats, not ${agentIds.length}`, {
      field: "agent_ids",
    });
  await checkLive(tx, user.id);
  const rows = await tx
    .selectFrom("ladder_agents as l")
    .innerJoin("agents as a", "a.id", "l.agent_id")
    .innerJoin("agent_versions as v", "v.id", "l.version_id")
    .select(["a.id", "a.name", "a.owner_id", "v.id as version_id", "v.digest"])
    .where("l.ladder_id", "=", ladder.id)
    .where("l.active", "=", true)
    .where("a.id", "in", [...new Set(agentIds)])
    .execute();
  const seats = agentIds.map((agent) => {
    const row = rows.find(({ id }) => id === agent);
    if (row === undefined)
      throw new LanistaError("not_found", "an agent is not active on this ladder", { field: "agent_ids" });
    return { agentId: row.id, versionId: row.version_id, name: row.name, digest: row.digest };
  });
  if (!atLeast(role, "organiser") && !rows.some(({ owner_id }) => owner_id === user.id))
    throw new LanistaError("forbidden", "one of the agents must be yours", { field: "agent_ids" });
  return await makeMatch(app, tx, {
    ladderId: ladder.id,
    spaceId: ladder.space_id,
    rules,
    reason: "requested",
    seats,
    ownerId: user.id,
  });
}

/** The person's row is locked, so that two requests at once count each other. */
async function checkLive(tx: Tx, userId: string): Promise<void> {
  await tx.selectFrom("user").select("id").where("id", "=", userId).forNoKeyUpdate().executeTakeFirst();
  const live = await tx
    .selectFrom("matches")
    .select("id")
    .where("owner_id", "=", userId)
    .where("reason", "=", "requested")
    .where("state", "in", ["waiting", "running"])
    .limit(MOST_LIVE)
    .execute();
  if (live.length >= MOST_LIVE)
    throw new LanistaError("quota_exceeded", `${MOST_LIVE} matches that you asked for wait or run already`, {
      hint: "Ask again when one of them has ended.",
    });
}
