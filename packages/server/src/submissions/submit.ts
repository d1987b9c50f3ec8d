/**
 * Handing in: the bundle becomes a version of the agent, a validation is queued, and the submission waits for it. All of it
 * in the caller's transaction; ../jobs/validate-kind.ts goes on when the validation has ended.
 */
import { createHash } from "node:crypto";
import { LanistaError } from "@lanista/api/errors";
import type { SubmitRequest } from "@lanista/api/gen/lanista/v1/submissions_pb";
import type { Selectable } from "kysely";
import { v7 as uuid } from "uuid";
import { checkBundleSize, checkQuota, lockMember, recordBundle } from "../agents/bundles.ts";
import { type AgentRow, addVersion, createAgent, type VersionRow } from "../agents/versions.ts";
import type { App } from "../app.ts";
import { notFound, type SpaceRow } from "../auth/access.ts";
import type { Tx } from "../db/database.ts";
import type { LaddersTable } from "../db/types.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { validationNeeds, validationSeconds } from "../jobs/validation-bounds.ts";
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
      options: rules.options,
      bundle: version.digest,
      tier: rules.tier,
      limits: rules.limits,
      startSeconds: rules.startSeconds,
      actSeconds: rules.actSeconds,
      policy: null,
    },
    tier: rules.tier,
    needs: validationNeeds(rules.limits),
    timeoutSeconds: validationSeconds(rules),
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
  const { digest, size } = bundle.case === "zip" ? measured(bundle.value) : await uploaded(tx, handed);
  checkBundleSize(app, size, "bundle");
  await checkQuota(app, tx, space, userId, digest, size);
  // Not before all was asked: what is refused leaves nothing in the store, where no quota would count it.
  await recordBundle(tx, digest, size);
  if (bundle.case === "zip") await app.store.put(bundle.value);
  return await addVersion(tx, agent.id, digest, size);
}

function measured(bytes: Uint8Array): { digest: string; size: number } {
  return { digest: createHash("sha256").update(bytes).digest("hex"), size: bytes.byteLength };
}

async function uploaded(tx: Tx, handed: Handed): Promise<{ digest: string; size: number }> {
  const id = handed.bundle.case === "uploadId" ? handed.bundle.value : "";
  const upload = await tx
    .selectFrom("uploads")
    .selectAll()
    .where("id", "=", id)
    .where("user_id", "=", handed.userId)
    .where("space_id", "=", handed.space.id)
    .executeTakeFirst();
  if (upload === undefined) throw notFound("the upload");
  if (!upload.complete)
    throw new LanistaError("conflict", `the upload has ${upload.next_offset} of ${upload.size_bytes} bytes`, {
      field: "upload_id",
      hint: "Send the rest, then submit.",
    });
  return { digest: upload.digest, size: upload.size_bytes };
}
