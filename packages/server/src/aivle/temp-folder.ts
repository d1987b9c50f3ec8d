/** A folder for bundles while they are graded: this process's own, and those that killed ones left are removed. */
import { lstat, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeadOwner, ownerName } from "@lanista/sandbox/owners";

const PREFIX = "aivle-";

/** The caller's to remove. */
export async function openTempFolder(root: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  for (const name of await readdir(root)) {
    if (!name.startsWith(PREFIX) || !isDeadOwner(name.slice(PREFIX.length))) continue;
    const path = join(root, name);
    // Another user's are his; in /tmp anybody can make one of this name.
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory() && found.uid === process.getuid?.()) await rm(path, { recursive: true, force: true });
  }
  const own = join(root, PREFIX + ownerName());
  await mkdir(own, { mode: 0o700 });
  return own;
}
