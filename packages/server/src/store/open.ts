/** Which store a configuration means. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LanistaError } from "@lanista/api/errors";
import { openFolderStore } from "./folder-store.ts";
import { parseS3Url, S3Store } from "./s3-store.ts";
import type { BlobStore } from "./store.ts";

/** `url`: empty for `<dataDir>/store`, a path, `file:///…` or `s3://…`. Throws LanistaError `invalid`. */
export async function openStore(url: string, dataDir: string): Promise<BlobStore> {
  if (url === "") return await openFolderStore(join(dataDir, "store"));
  if (url.startsWith("s3://")) return new S3Store(parseS3Url(url));
  if (url.startsWith("file://")) return await openFolderStore(fileURLToPath(url));
  if (url.includes("://"))
    throw new LanistaError("invalid", `"${url}" is no store`, {
      hint: "Give a folder, file:///folder or s3://bucket/prefix.",
    });
  return await openFolderStore(url);
}
