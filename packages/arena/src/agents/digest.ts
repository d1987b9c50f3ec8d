import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

export interface BundleDigest {
  /** SHA-256 in hex. */
  readonly digest: string;
  readonly bytes: number;
}

/**
 * One digest over files: for each, in the order of the paths' UTF-8 bytes, `<path>\0<size>\0<contents>`. No path holds a
 * NUL, so no two bundles are written the same way. Where they came from, dates and modes do not count.
 */
export async function digestFiles(dir: string, files: readonly string[]): Promise<BundleDigest> {
  const sorted = files.map((path) => Buffer.from(path)).sort(Buffer.compare);
  const hash = createHash("sha256");
  let bytes = 0;
  for (const path of sorted) {
    const full = join(dir, path.toString());
    const { size } = await stat(full);
    hash.update(path).update(`\0${size}\0`);
    for await (const chunk of createReadStream(full)) hash.update(chunk);
    bytes += size;
  }
  return { digest: hash.digest("hex"), bytes };
}
