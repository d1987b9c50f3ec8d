/** A folder's plain files as a zip that is the same whenever they are: sorted, with one date and one mode. */
import { createWriteStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";

/** Local time, as zips have it. */
const MTIME = new Date(1980, 0, 1);

export async function zipFolder(dir: string, file: string): Promise<void> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
  const zip = new ZipFile();
  for (const path of paths)
    zip.addFile(join(dir, path), path, { mtime: MTIME, mode: path === "run" ? 0o100755 : 0o100644 });
  zip.end();
  const failed = new Promise<never>((_, reject) => zip.on("error", reject));
  await Promise.race([pipeline(zip.outputStream, createWriteStream(file, { mode: 0o600 })), failed]);
}
