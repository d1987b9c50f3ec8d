/** A folder as a zip, or the .zip that there is. What is in it the server's worker looks at. */
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import yazl from "yazl";
import { UsageError } from "../../usage-error.ts";

/** The same files give the same bytes. */
const THEN = new Date(Date.UTC(1980, 0, 1));
const MOST_FILES = 10_000;

/** Throws UsageError where there is neither. */
export async function zipFolder(path: string): Promise<Buffer> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() && extname(path).toLowerCase() === ".zip") return await readFile(path);
  if (!found?.isDirectory()) throw new UsageError(`there is no folder and no .zip at ${path}`);
  const zip = new yazl.ZipFile();
  const names = (await readdir(path, { recursive: true })).sort();
  if (names.length > MOST_FILES) throw new UsageError(`${path} has more than ${MOST_FILES} files`);
  // Links are followed: it is the caller's own folder.
  for (const name of names)
    if ((await stat(join(path, name))).isFile())
      zip.addBuffer(await readFile(join(path, name)), name, { mtime: THEN, forceDosTimestamp: true });
  zip.end();
  return await buffer(zip.outputStream);
}
