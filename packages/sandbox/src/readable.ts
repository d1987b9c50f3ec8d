/** Boxes run under user ids of their own: what they are shown must be readable for everybody, or every program fails in them. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { SandboxError } from "./errors.ts";
import type { ReadOnlyMount } from "./types.ts";

const below = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** For others: to list and to pass through a folder, to read a file. */
const FOLDER = 0o005;
const FILE = 0o004;

/**
 * Throws SandboxError `refused`, with what to do, if others may not read the mounted folders themselves, or a file in them that
 * a word of `argv` names. Folders above a mounted one do not matter: the box has its own in their place.
 */
export function refuseUnreadable(argv: readonly string[], mounts: readonly ReadOnlyMount[]): void {
  for (const { source, target } of mounts) {
    const files = argv.filter((word) => below(word, target)).map((word) => source + word.slice(target.length));
    for (const path of [source, ...files].flatMap((file) => upTo(source, file))) {
      // One that is not there is another matter: a word may name what the program is to make of it.
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) continue;
      const needed = found.isDirectory() ? FOLDER : FILE;
      if ((found.mode & needed) !== needed)
        throw new SandboxError(
          "refused",
          `${path} cannot be read by other users, and sandboxes have user ids of their own; chmod -R o+rX ${source}`,
        );
    }
  }
}

/** The file, and the folders that it lies in up to `source`. */
function upTo(source: string, file: string): string[] {
  const paths = [file];
  for (let path = dirname(file); path !== dirname(path) && below(path, source); path = dirname(path)) paths.push(path);
  return paths;
}
