/**
 * Uploads that can be resumed. Parts come in order; each is in the store before the row says so, so whatever is cut off, the
 * row tells where to go on. The last part makes the bundle, if its digest is the one that was announced.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import type { UploadSchema } from "@lanista/api/gen/lanista/v1/agents_pb";
import { type Selectable, sql } from "kysely";
import { v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import { notFound, type SpaceRow } from "../auth/access.ts";
import type { Tx } from "../db/database.ts";
import type { UploadsTable } from "../db/types.ts";
import { checkBundleSize, checkQuota, recordBundle } from "./bundles.ts";

export type UploadRow = Selectable<UploadsTable>;

const HOUR_MS = 3600_000;
/** Uploads of one person that may be on their way at once. */
const MOST_OPEN = 20;
/** Expired ones looked at in one go. */
const BATCH = 1000;

export function uploadMessage(row: UploadRow): MessageInitShape<typeof UploadSchema> {
  return {
    id: row.id,
    sizeBytes: BigInt(row.size_bytes),
    offset: BigInt(row.next_offset),
    complete: row.complete,
    expiresAt: timestampFromDate(row.expires_at),
  };
}

/** Complete at once only where the caller himself handed in the very bytes before: to know a digest is not to have a file. */
export async function createUpload(
  app: App,
  tx: Tx,
  space: SpaceRow,
  userId: string,
  wanted: { readonly digest: string; readonly size: number },
): Promise<UploadRow> {
  checkBundleSize(app, wanted.size, "size_bytes");
  await checkQuota(app, tx, space, userId, wanted.digest, wanted.size);
  // Begun before and cut off: it goes on where it stands.
  const begun = await tx
    .selectFrom("uploads")
    .selectAll()
    .where("user_id", "=", userId)
    .where("space_id", "=", space.id)
    .where("digest", "=", wanted.digest)
    .where("size_bytes", "=", wanted.size)
    .where("expires_at", ">", sql<Date>`now()`)
    .executeTakeFirst();
  if (begun !== undefined) return begun;
  const { open } = await tx
    .selectFrom("uploads")
    .select((eb) => eb.fn.countAll<number>().as("open"))
    .where("user_id", "=", userId)
    .where("complete", "=", false)
    .where("expires_at", ">", new Date())
    .executeTakeFirstOrThrow();
  if (open >= MOST_OPEN)
    throw new LanistaError("quota_exceeded", `you have ${open} unfinished uploads`, {
      hint: "Finish them, or wait until they expire.",
    });
  const own = await tx
    .selectFrom("agent_versions as v")
    .innerJoin("agents as a", "a.id", "v.agent_id")
    .select("v.size_bytes")
    .where("a.owner_id", "=", userId)
    .where("v.digest", "=", wanted.digest)
    .where("v.size_bytes", "=", wanted.size)
    .limit(1)
    .executeTakeFirst();
  return await tx
    .insertInto("uploads")
    .values({
      id: uuid(),
      space_id: space.id,
      user_id: userId,
      digest: wanted.digest,
      size_bytes: wanted.size,
      next_offset: own === undefined ? 0 : wanted.size,
      complete: own !== undefined,
      expires_at: new Date(Date.now() + app.config.limits.uploadHours * HOUR_MS),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Takes a part. Throws LanistaError: `conflict` on one that does not go on where the upload stands, `invalid` on wrong bytes. */
export async function takePart(app: App, id: string, offset: number, data: Uint8Array): Promise<UploadRow> {
  const taken = await app.db.transaction().execute(async (tx) => {
    const row = await tx.selectFrom("uploads").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
    if (row === undefined) throw notFound("the upload");
    if (row.complete || offset + data.byteLength <= row.next_offset) return row; // came before
    if (row.expires_at.getTime() < Date.now())
      throw new LanistaError("conflict", "the upload has expired: begin again");
    if (offset !== row.next_offset)
      throw new LanistaError("conflict", `the next part begins at ${row.next_offset}, not at ${offset}`, {
        field: "offset",
        hint: "Ask GetUpload where to go on.",
      });
    if (offset + data.byteLength > row.size_bytes)
      throw new LanistaError(
        "invalid",
        `the upload was announced with ${row.size_bytes} bytes, and this part goes past them`,
        { field: "data" },
      );
    await app.store.putPart(id, offset, data);
    return await tx
      .updateTable("uploads")
      .set({ next_offset: offset + data.byteLength })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
  });
  return taken.next_offset === taken.size_bytes && !taken.complete ? await completeUpload(app, taken) : taken;
}

async function completeUpload(app: App, row: UploadRow): Promise<UploadRow> {
  const { id, digest, size_bytes: size } = row;
  try {
    const done = await app.db.transaction().execute(async (tx) => {
      const now = await tx.selectFrom("uploads").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
      if (now === undefined) throw notFound("the upload");
      // Whoever sent the last part a second time waited here for the first.
      if (now.complete) return now;
      await recordBundle(tx, digest, size);
      await app.store.putStream(app.store.parts(id), { digest, size });
      return await tx
        .updateTable("uploads")
        .set({ complete: true })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow();
    });
    await app.store.deleteParts(id);
    return done;
  } catch (error) {
    if (!(error instanceof LanistaError && error.code === "invalid")) throw error;
    // The bytes are not those that were announced: they are of no use, and the upload begins anew.
    await app.store.deleteParts(id);
    await app.db.updateTable("uploads").set({ next_offset: 0 }).where("id", "=", id).execute();
    throw error;
  }
}

/** Forgets uploads whose time is over, and the bytes of those that nothing was made of. Called by the clock. */
export async function expireUploads(app: App): Promise<number> {
  const old = await app.db
    .selectFrom("uploads")
    .select(["id", "digest"])
    .where("expires_at", "<", sql<Date>`now()`)
    .limit(BATCH)
    .execute();
  for (const { id, digest } of old) {
    await app.store.deleteParts(id);
    await app.db.transaction().execute(async (tx) => {
      await tx.deleteFrom("uploads").where("id", "=", id).execute();
      // In the transaction: who hands the same bytes in now waits for the row, and puts them into the store after that.
      if (await isNobodys(tx, digest)) await app.store.delete(digest);
    });
  }
  return old.length;
}

/** Forgets the bundle if no version, no other upload and no live job needs it. */
async function isNobodys(tx: Tx, digest: string): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    DELETE FROM bundles b WHERE b.digest = ${digest}
      AND NOT EXISTS (SELECT FROM agent_versions v WHERE v.digest = b.digest)
      AND NOT EXISTS (SELECT FROM task_submissions s WHERE s.digest = b.digest)
      AND NOT EXISTS (SELECT FROM task_versions v WHERE v.digest = b.digest)
      AND NOT EXISTS (SELECT FROM environments e WHERE e.digest = b.digest)
      AND NOT EXISTS (SELECT FROM tasks t WHERE t.template_digest = b.digest)
      AND NOT EXISTS (SELECT FROM uploads u WHERE u.digest = b.digest AND u.complete)
      AND NOT EXISTS (SELECT FROM jobs j WHERE j.state IN ('waiting', 'running') AND strpos(j.payload::text, b.digest) > 0)
  `.execute(tx);
  return numAffectedRows > 0n;
}
