/**
 * Uploads that can be resumed. Parts come in order; each is in the store before the row says so, so whatever is cut off, the
 * row tells where to go on. The last part makes the bundle, if its digest is the one that was announced.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import type { UploadSchema } from "@lanista/api/gen/lanista/v1/agents_pb";
import type { Selectable } from "kysely";
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
  try {
    await app.store.putStream(app.store.parts(row.id), { digest: row.digest, size: row.size_bytes });
  } catch (error) {
    if (!(error instanceof LanistaError && error.code === "invalid")) throw error;
    // The bytes are not those that were announced: they are of no use, and the upload begins anew.
    await app.store.deleteParts(row.id);
    await app.db.updateTable("uploads").set({ next_offset: 0 }).where("id", "=", row.id).execute();
    throw error;
  }
  const done = await app.db.transaction().execute(async (tx) => {
    await recordBundle(tx, row.digest, row.size_bytes);
    return await tx
      .updateTable("uploads")
      .set({ complete: true })
      .where("id", "=", row.id)
      .returningAll()
      .executeTakeFirstOrThrow();
  });
  await app.store.deleteParts(row.id);
  return done;
}

/** Forgets uploads whose time is over. Called by the clock. */
export async function expireUploads(app: App): Promise<number> {
  const old = await app.db.deleteFrom("uploads").where("expires_at", "<", new Date()).returning("id").execute();
  for (const { id } of old) await app.store.deleteParts(id);
  return old.length;
}
