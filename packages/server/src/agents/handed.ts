/** A bundle as somebody hands it in, in the request or uploaded before: measured, asked about, and put into the store. */
import { createHash } from "node:crypto";
import { LanistaError } from "@lanista/api/errors";
import type { App } from "../app.ts";
import { notFound, type SpaceRow } from "../auth/access.ts";
import type { Tx } from "../db/database.ts";
import { checkBundleSize, checkQuota, recordBundle } from "./bundles.ts";

export type Handed =
  | { readonly case: "zip"; readonly value: Uint8Array }
  | { readonly case: "uploadId"; readonly value: string };

export interface Measured {
  readonly digest: string;
  readonly size: number;
}

/** Throws LanistaError `too_large` (also past `most` bytes), `quota_exceeded`, and what `uploaded` throws. */
export async function takeHanded(
  app: App,
  tx: Tx,
  space: SpaceRow,
  userId: string,
  bundle: Handed,
  most = Number.POSITIVE_INFINITY,
): Promise<Measured> {
  const { digest, size } =
    bundle.case === "zip" ? measured(bundle.value) : await uploaded(tx, space.id, userId, bundle.value);
  checkBundleSize(app, size, "bundle");
  checkOwnSize(size, most);
  await checkQuota(app, tx, space, userId, digest, size);
  // Not before all was asked: what is refused leaves nothing in the store, where no quota would count it.
  await recordBundle(tx, digest, size);
  if (bundle.case === "zip") await app.store.put(bundle.value);
  return { digest, size };
}

/**
 * What staff bring over for somebody else, against nobody's quota; an upload of `by` is used up by it. Throws LanistaError
 * `too_large`, and what `uploaded` throws.
 */
export async function takeForAnother(app: App, tx: Tx, spaceId: string, by: string, bundle: Handed): Promise<Measured> {
  const { digest, size } =
    bundle.case === "zip" ? measured(bundle.value) : await uploaded(tx, spaceId, by, bundle.value);
  checkBundleSize(app, size, "bundle");
  await recordBundle(tx, digest, size);
  if (bundle.case === "zip") await app.store.put(bundle.value);
  else await tx.deleteFrom("uploads").where("id", "=", bundle.value).execute();
  return { digest, size };
}

export function checkOwnSize(size: number, most: number): void {
  if (size > most)
    throw new LanistaError("too_large", `a bundle for this may have ${most} bytes, this one has ${size}`, {
      field: "bundle",
    });
}

function measured(bytes: Uint8Array): Measured {
  return { digest: createHash("sha256").update(bytes).digest("hex"), size: bytes.byteLength };
}

/** A finished upload of the person's in the space. Throws LanistaError `not_found`, `conflict`. */
export async function uploaded(tx: Tx, spaceId: string, userId: string, id: string): Promise<Measured> {
  const upload = await tx
    .selectFrom("uploads")
    .selectAll()
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .where("space_id", "=", spaceId)
    .executeTakeFirst();
  if (upload === undefined) throw notFound("the upload");
  if (!upload.complete)
    throw new LanistaError("conflict", `the upload has ${upload.next_offset} of ${upload.size_bytes} bytes`, {
      field: "upload_id",
      hint: "Send the rest, then submit.",
    });
  return { digest: upload.digest, size: upload.size_bytes };
}
