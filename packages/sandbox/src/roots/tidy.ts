/** What an unpacked image may be on the host: folders, plain files and links, that nobody gains anything by. */
import { chmod, lstat, opendir, unlink } from "node:fs/promises";
import { join } from "node:path";

/** Set-user and set-group bits. */
const SET_IDS = 0o6000;

/**
 * Removes devices, pipes and sockets; takes the set-id bits from all, and makes sure that the owner can read files and enter
 * folders, so that they can be shown, and removed again. Follows no link. Returns how many there were.
 */
export async function tidy(root: string): Promise<number> {
  const waiting = [root];
  let count = 0;
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const { mode } = await lstat(folder);
    const wanted = (mode & ~SET_IDS & 0o7777) | 0o700;
    if (wanted !== (mode & 0o7777)) await chmod(folder, wanted);
    for await (const entry of await opendir(folder)) {
      count++;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else if (entry.isFile()) {
        const { mode } = await lstat(path);
        const wanted = (mode & ~SET_IDS & 0o7777) | 0o400;
        if (wanted !== (mode & 0o7777)) await chmod(path, wanted);
      } else if (!entry.isSymbolicLink()) await unlink(path);
    }
  }
  return count;
}
