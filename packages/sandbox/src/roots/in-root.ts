import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";

const MOST_LINKS = 40;

/** What kind of thing `path` is below `root`, links followed as from within: none leads out of it. Undefined if nothing. */
export function kindInRoot(root: string, path: string): "file" | "folder" | undefined {
  const left = path.split("/").reverse();
  let at: string[] = [];
  let links = 0;
  try {
    let kind: "file" | "folder" = "folder";
    while (left.length > 0) {
      const name = left.pop()!;
      if (name === "" || name === ".") continue;
      if (kind === "file") return undefined;
      if (name === "..") {
        at.pop();
        continue;
      }
      const stat = lstatSync(join(root, ...at, name));
      if (stat.isSymbolicLink()) {
        if (++links > MOST_LINKS) return undefined;
        const target = readlinkSync(join(root, ...at, name));
        if (target.startsWith("/")) at = [];
        left.push(...target.split("/").reverse());
        continue;
      }
      at.push(name);
      kind = stat.isDirectory() ? "folder" : "file";
    }
    return kind;
  } catch {
    return undefined;
  }
}
