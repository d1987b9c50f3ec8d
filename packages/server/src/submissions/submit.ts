/**
 * Handing in: the bundle becomes a version of the agent, a validation is queued, and the submission waits for it. All of it
 * in the caller's transaction; ../jobs/validate-kind.ts goes on when the validation has ended.
 */
import { LanistaError } from "@lanista/api/errors";
import type { SubmitRequest } from "@lanista/api/gen/lanista/v1/submissions_pb";
import type { Selectable } from "kysely";
import { v7 as uuid } from "uuid";
import { lockMember } from "../agents/bundles.ts";
import { takeHanded } from "../agents/handed.ts";
import { type AgentRow, addVersion, createAgent, type VersionRow } from "../agents/versions.ts";
import type { App } from "../app.ts";
import { notFound, type SpaceRow } from "../auth/access.ts";
import type { Tx } from "../db/database.ts";
import type { LaddersTable } from "../db/types.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { validationNeeds, validationSeconds } from "../jobs/validation-bounds.ts";
import { environmentOf, withEnvironment } from "../ladder/make-match.ts";
import { ladderRules } from "../ladder/rules.ts";
import { checkAgentsOnLadder, checkDailySubmissions } from "./limits.ts";

export interface Handed {
  readonly space: SpaceRow;
  readonly ladder: Selectable<LaddersTable>;
  readonly userId: string;
  readonly agentName: string;
  readonly bundle: SubmitRequest["bundle"];
}

/** The new submission's id. Throws LanistaError. */
export async function submit(app: App, tx: Tx, handed: Handed): Promise<string> {
  const { space, ladder, userId } = handed;
  if (ladder.state !== "open")
    throw new LanistaError("conflict", `the ladder is ${ladder.state}: it takes no submissions`, {
      field: "ladder_id",
    });
  await lockMember(tx, space.id, userId);
  await checkDailySubmissions(tx, space, userId);
  const agent = await ownAgent(tx, space.id, userId, handed.agentName);
  const rules = ladderRules(ladder);
  await checkAgentsOnLadder(tx, ladder.id, userId, agent.id, rules.agentsPerParticipant);
  const version = await versionOf(app, tx, handed, agent);
  const id = uuid();
  const job = await enqueue(app, tx, {
    kind: "validate",
    queue: rules.queue,
    spaceId: space.id,
    ownerId: userId,
    // A line of its own, so that it stands behind no match its owner asked for; of no higher priority than the matches, so that
    // who hands in without end keeps nobody's from being played.
    fairKey: `hand-in:${userId}`,
    payload: {
      env: rules.env,
      ...environmentOf(rules),
      options: rules.options,
      bundle: version.digest,
      tier: rules.tier,
      limits: rules.limits,
      startSeconds: rules.startSeconds,
      actSeconds: rules.actSeconds,
      policy: null,
    },
    tier: rules.tier,
    needs: withEnvironment(validationNeeds(rules.limits), rules),
    timeoutSeconds: Math.ceil(validationSeconds(rules) + (rules.environment?.openSeconds ?? 0)),
  });
  await tx
    .insertInto("submissions")
    .values({
      id,
      space_id: space.id,
      ladder_id: ladder.id,
      agent_id: agent.id,
      version_id: version.id,
      owner_id: userId,
      job_id: job.id,
    })
    .execute();
  return id;
}

/** The person's agent of that name, made where there is none. Another's name is taken. */
async function ownAgent(tx: Tx, spaceId: string, userId: string, name: string): Promise<AgentRow> {
  const found = await tx
    .selectFrom("agents")
    .selectAll()
    .where("space_id", "=", spaceId)
    .where("name", "=", name)
    .executeTakeFirst();
  if (found === undefined) return await createAgent(tx, spaceId, userId, name);
  if (found.owner_id !== userId)
    throw new LanistaError("exists", `another participant has an agent named "${name}"`, {
      field: "agent",
      hint: "Choose another name.",
    });
  return found;
}

async function versionOf(app: App, tx: Tx, handed: Handed, agent: AgentRow): Promise<VersionRow> {
  const { bundle, space, userId } = handed;
  if (bundle.case === "versionId") {
    const version = await tx
      .selectFrom("agent_versions")
      .selectAll()
      .where("id", "=", bundle.value)
      .where("agent_id", "=", agent.id)
      .executeTakeFirst();
    if (version === undefined) throw notFound("the version of this agent");
    return version;
  }
  // Validation has refused a request without one.
  if (bundle.case === undefined) throw notFound("the bundle");
  const { digest, size } = await takeHanded(app, tx, space, userId, bundle);
  return await addVersion(tx, agent.id, digest, size);
}
