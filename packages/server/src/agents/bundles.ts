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
 * allows. A bundle of several versions counts once; uploads that are on their way count as if they were there. Takes the
 * member's row's lock: of two at once, one sees the other.
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
  const { rows } = await sql<{ used: number }>`
    SELECT coalesce(sum(size_bytes), 0)::bigint AS used FROM (
      SELECT DISTINCT v.digest, v.size_bytes FROM agent_versions v JOIN agents a ON a.id = v.agent_id
        WHERE a.owner_id = ${userId} AND a.space_id = ${space.id} AND v.digest <> ${digest}
      UNION
      SELECT digest, size_bytes FROM uploads
        WHERE user_id = ${userId} AND space_id = ${space.id} AND digest <> ${digest} AND expires_at > now()
    ) AS kept`.execute(tx);
  const used = rows[0]?.used ?? 0;
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
