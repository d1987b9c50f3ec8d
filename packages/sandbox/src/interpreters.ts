/**
 * Finds the interpreters that boxes run. What lives below /usr is there already; what does not (pyenv, a virtual
 * environment, npm's node) is mounted read-only at the path it has on the host, so that its own paths stay right.
 */
import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { SandboxError } from "./errors.ts";
import type { ReadOnlyMount } from "./types.ts";

const run = promisify(execFile);

export interface Interpreter {
  /** The executable's path, on the host and in the box. */
  readonly path: string;
  /** Such as "3.11.7". */
  readonly version: string;
  readonly mounts: readonly ReadOnlyMount[];
}

const below = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** The fewest folders that cover all of `folders` outside /usr. Throws on one so high that it would show half the host. */
function cover(folders: readonly string[]): ReadOnlyMount[] {
  const outside = [...new Set(folders)].filter((folder) => !below(folder, "/usr"));
  for (const folder of outside)
    if (folder.split("/").length < 3)
      throw new SandboxError(
        "refused",
        `the interpreter's folder ${folder} is too high in the tree to be shown to untrusted code; use one with a folder of its own`,
      );
  return outside
    .filter((folder) => !outside.some((other) => other !== folder && below(folder, other)))
    .map((folder) => ({ source: folder, target: folder }));
}

const FACTS = `
import json, os, sys
print(json.dumps({"version": "%d.%d.%d" % sys.version_info[:3], "executable": sys.executable,
  "real": os.path.realpath(sys.executable), "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]}))
`;

/** Python 3.8 or newer: a path or a name looked up in PATH. Throws SandboxError `refused` if there is none. */
export async function findPython(name = "python3"): Promise<Interpreter> {
  let facts: { version: string; executable: string; real: string; prefixes: string[] };
  try {
    facts = JSON.parse((await run(name, ["-I", "-c", FACTS], { timeout: 20_000 })).stdout);
  } catch (error) {
    throw new SandboxError(
      "refused",
      `no usable Python at "${name}": ${(error as Error).message.split("\n")[0]}; install python3 or name another`,
      { cause: error },
    );
  }
  const [major, minor] = facts.version.split(".").map(Number) as [number, number];
  if (major !== 3 || minor < 8)
    throw new SandboxError("refused", `${name} is Python ${facts.version}; agents need 3.8 or newer`);
  const prefixes = facts.prefixes.map((prefix) => realpathSync(prefix));
  const real = prefixes.some((prefix) => below(facts.real, prefix)) ? [] : [dirname(facts.real)];
  // A virtual environment's interpreter must be started by its own path, or it does not find its packages.
  const path = facts.prefixes[0] === facts.prefixes[2] ? facts.real : facts.executable;
  return { path, version: facts.version, mounts: cover([...prefixes, ...real]) };
}

/** The Node that runs this process. */
export function findNode(): Interpreter {
  const path = realpathSync(process.execPath);
  return { path, version: process.versions.node, mounts: cover([dirname(path)]) };
}
