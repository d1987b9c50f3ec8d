/** Bundles taken in: the bytes into the store, a row for them, and whose quota they count against. */
import { LanistaError } from "@lanista/api/errors";
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { SpaceRow } from "../auth/access.ts";
import type { Tx } from "../db/database.ts";
import { holdBlob } from "../store/orphans.ts";

/** Throws LanistaError `too_large` past what the server takes as one bundle. */
export function checkBundleSize(app: App, bytes: number, field: string): void {
  const most = app.config.limits.bundleBytes;
  if (bytes > most)
    throw new LanistaError("too_large", `a bundle may have ${most} bytes, this one has ${bytes}`, { field });
}

/**
 * Throws LanistaError `quota_exceeded` where the person's bundles in the space, with this one, would be more than the space
 * allows. A bundle of several versions counts once; uploads that are on their way count as if they were there. What was only ever
 * handed in to end in a fault of ours does not count, nor what was cancelled; but of that no more than the quota once again
 * goes free: the store keeps it all the same. What staff brought over from elsewhere does not count either. Takes the member's lock: of two at once, one sees the other.
 */
export async function checkQuota(
  app: App,
  tx: Tx,
  space: SpaceRow,
  userId: string,
  digest: string,
  size: number,
): Promise<void> {
  await lockMember(tx, space.id, userId);
  const most = space.quota_bytes === 0 ? app.config.limits.quotaBytes : space.quota_bytes;
  const { rows } = await sql<{ counted: number; cancelled: number }>`
    WITH handed AS (
      SELECT v.digest, v.size_bytes, s.state
      FROM agents a JOIN agent_versions v ON v.agent_id = a.id LEFT JOIN submissions s
        ON s.version_id = v.id AND s.owner_id = ${userId} AND s.space_id = ${space.id}
      WHERE a.owner_id = ${userId} AND a.space_id = ${space.id} AND v.digest <> ${digest}
      UNION ALL SELECT digest, size_bytes, state FROM task_submissions
      WHERE owner_id = ${userId} AND space_id = ${space.id} AND digest <> ${digest} AND import_key IS NULL),
    versions AS (
      SELECT digest, max(size_bytes) AS size_bytes,
        bool_or(state IS NULL OR state NOT IN ('cancelled', 'failed')) AS counts,
        bool_or(state = 'cancelled') AS cancelled
      FROM handed GROUP BY digest),
    uploading AS (
      SELECT DISTINCT digest, size_bytes FROM uploads u
      WHERE user_id = ${userId} AND space_id = ${space.id} AND digest <> ${digest} AND expires_at > now()
        AND NOT EXISTS (SELECT FROM versions v WHERE v.digest = u.digest))
    SELECT coalesce((SELECT sum(size_bytes) FROM versions WHERE counts), 0)::bigint
        + coalesce((SELECT sum(size_bytes) FROM uploading), 0)::bigint AS counted,
      coalesce((SELECT sum(size_bytes) FROM versions WHERE NOT counts AND cancelled), 0)::bigint AS cancelled`.execute(
    tx,
  );
  const { counted = 0, cancelled = 0 } = rows[0] ?? {};
  const used = counted + Math.max(0, cancelled - most);
  if (most > 0 && used + size > most)
    throw new LanistaError(
      "quota_exceeded",
      `your bundles in this space have ${used} bytes; ${size} more would pass the quota of ${most}`,
      {
        hint: "Ask an organiser for a larger quota, or wait until your unfinished uploads expire.",
      },
    );
}

/** One after the other: whatever counts what a person has in a space holds this lock while it counts and adds. */
export async function lockMember(tx: Tx, spaceId: string, userId: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`${spaceId} ${userId}`}, 0))`.execute(tx);
}

/**
 * Says that the store has it. The row is locked until the transaction's end, so that the bytes are not collected meanwhile:
 * whoever puts them does it after this.
 */
export async function recordBundle(tx: Tx, digest: string, size: number): Promise<void> {
  await holdBlob(tx, digest);
  await tx
    .insertInto("bundles")
    .values({ digest, size_bytes: size })
    .onConflict((conflict) => conflict.column("digest").doUpdateSet({ size_bytes: size }))
    .execute();
}
