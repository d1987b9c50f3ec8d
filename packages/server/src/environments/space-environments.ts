/** Environments that a space's organisers handed in: each a bundle, checked by a worker before anything is played in it. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import {
  type AddEnvironmentRequest,
  type SpaceEnvironmentSchema,
  SpaceEnvironment_State as State,
} from "@lanista/api/gen/lanista/v1/environments_pb";
import { type Selectable, sql } from "kysely";
import { validate as isUuid, v7 as uuid } from "uuid";
import { recordBundle } from "../agents/bundles.ts";
import { uploaded } from "../agents/handed.ts";
import type { App } from "../app.ts";
import { notFound, type Role, requireRole } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import type { EnvironmentsTable } from "../db/types.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { type EnvCheckPayload, envCheckResult, envSummary } from "../jobs/environment-payloads.ts";
import { TIERS } from "../ladder/rules.ts";
import type { PageWanted } from "../rpc/paging.ts";

export type EnvironmentRow = Selectable<EnvironmentsTable>;

const STATES = {
  checking: State.CHECKING,
  ready: State.READY,
  refused: State.REFUSED,
  cancelled: State.CANCELLED,
  failed: State.FAILED,
} as const;

/** Before its manifest was read a bundle may be anything. */
const UNKNOWN_NEEDS = { cpus: 1, memoryBytes: 2 ** 30 };
const CHECK_SECONDS = 3600;
const EPISODES = 3;
/** Checks of one space that may wait or run at once. */
const MOST_CHECKED = 20;

/** Throws LanistaError `not_found`, `invalid`, `quota_exceeded`, `conflict` where the upload is not finished. */
export async function addEnvironment(
  app: App,
  tx: Tx,
  spaceId: string,
  userId: string,
  wanted: Pick<AddEnvironmentRequest, "uploadId" | "queue" | "tier">,
): Promise<EnvironmentRow> {
  const { queue, tier } = await placeOf(tx, spaceId, wanted);
  await checkLive(tx, spaceId);
  const { digest, size } = await uploaded(tx, spaceId, userId, wanted.uploadId);
  await recordBundle(tx, digest, size);
  const job = await enqueue(app, tx, {
    kind: "env_check",
    queue,
    spaceId,
    ownerId: userId,
    fairKey: `env-check:${spaceId}`,
    payload: { environment: digest, tier, episodes: EPISODES, seed: 0 } satisfies EnvCheckPayload,
    tier,
    needs: UNKNOWN_NEEDS,
    timeoutSeconds: CHECK_SECONDS,
  });
  return await tx
    .insertInto("environments")
    .values({ id: uuid(), space_id: spaceId, digest, size_bytes: size, job_id: job.id, created_by: userId })
    .returningAll()
    .executeTakeFirstOrThrow();
}

async function placeOf(
  tx: Tx,
  spaceId: string,
  wanted: { readonly queue: string; readonly tier: string },
): Promise<{ queue: string; tier: string }> {
  const { queue: name = "", tier: given = "" } = wanted;
  const [queue, tier] = [name || "default", given || "container"];
  if (!TIERS.includes(tier))
    throw new LanistaError("invalid", `"${tier}" is no tier; there are ${TIERS.join(", ")}`, { field: "tier" });
  const row = await tx.selectFrom("queues").select("space_id").where("name", "=", queue).executeTakeFirst();
  if (row === undefined || (row.space_id !== null && row.space_id !== spaceId))
    throw new LanistaError("invalid", `there is no queue "${queue}" for this space`, { field: "queue" });
  return { queue, tier };
}

async function checkLive(tx: Tx, spaceId: string): Promise<void> {
  await tx.selectFrom("spaces").select("id").where("id", "=", spaceId).forNoKeyUpdate().executeTakeFirst();
  const live = await tx
    .selectFrom("environments")
    .select("id")
    .where("space_id", "=", spaceId)
    .where("state", "=", "checking")
    .limit(MOST_CHECKED)
    .execute();
  if (live.length >= MOST_CHECKED)
    throw new LanistaError("quota_exceeded", `${MOST_CHECKED} environments of this space are being checked already`, {
      hint: "Hand it in again when one of them has been.",
    });
}

/** For a member of its space with at least this role. Throws LanistaError `not_found`, `forbidden`. */
export async function requireEnvironment(
  db: Db | Tx,
  caller: Caller,
  id: string,
  least: Role,
): Promise<EnvironmentRow> {
  const row = await environmentRow(db, id);
  if (row === undefined) throw notFound("the environment");
  await requireRole(db, caller, row.space_id, least, "the environment");
  return row;
}

export async function environmentRow(db: Db | Tx, id: string): Promise<EnvironmentRow | undefined> {
  if (!isUuid(id)) return undefined;
  return await db.selectFrom("environments").selectAll().where("id", "=", id).executeTakeFirst();
}

/** One row more than the page has. */
export async function listEnvironments(
  db: Db | Tx,
  spaceId: string,
  { size, after }: PageWanted,
): Promise<EnvironmentRow[]> {
  let query = db.selectFrom("environments").selectAll().where("space_id", "=", spaceId);
  if (after !== null) query = query.where(sql<boolean>`id::text < ${String(after[0])}`);
  return await query
    .orderBy(sql`id::text`, "desc")
    .limit(size + 1)
    .execute();
}

export function environmentMessage(row: EnvironmentRow): MessageInitShape<typeof SpaceEnvironmentSchema> {
  const summary = row.summary === null ? undefined : envSummary.parse(row.summary);
  const findings = envCheckResult.shape.findings.parse(row.findings);
  return {
    id: row.id,
    spaceId: row.space_id,
    digest: row.digest,
    sizeBytes: BigInt(row.size_bytes),
    state: STATES[row.state],
    jobId: row.job_id,
    findings,
    createdAt: timestampFromDate(row.created_at),
    env: summary?.id ?? "",
    version: summary?.version ?? 0,
    title: summary?.title ?? "",
    description: summary?.description ?? "",
    options: Object.entries(summary?.options ?? {}).map(([name, option]) => ({
      name,
      description: option.description,
      defaultJson: JSON.stringify(option.default),
    })),
    filesDigest: summary?.files ?? "",
    seats: (summary?.seats ?? []).map(({ name, action, observation }) => ({
      name,
      actionSpace: action,
      observationSpace: observation,
    })),
  };
}
