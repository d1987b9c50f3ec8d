import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface FoundPython {
  readonly path: string;
  readonly version: string;
  readonly numpy: boolean;
}

const FACTS = `
import sys
try:
    import numpy
except ImportError:
    numpy = None
print("%d.%d %d" % (sys.version_info[0], sys.version_info[1], numpy is not None))
`;

function facts(path: string): FoundPython | undefined {
  try {
    const [version, numpy] = execFileSync(path, ["-c", FACTS], { encoding: "utf8", stdio: "pipe" }).trim().split(" ");
    const [major, minor] = version!.split(".").map(Number);
    return major === 3 && minor! >= 8 ? { path, version: version!, numpy: numpy === "1" } : undefined;
  } catch {
    return undefined; // a shim without a version behind it, or too old to understand
  }
}

function below(folder: string, ...rest: string[]): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, ...rest)) : [];
}

/** One Python of each version this host has, and one with NumPy if there is any (the goldens' environment has it). */
export function findPythons(): FoundPython[] {
  const inPath = (process.env.PATH ?? "").split(delimiter).flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => /^python3(\.\d+)?$/.test(name))
          .map((name) => join(folder, name))
      : [],
  );
  const pyenv = below(join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions"), "bin", "python");
  const goldens = below(fileURLToPath(new URL("../../../../../.cache", import.meta.url)), "bin", "python");
  const found = new Map<string, FoundPython>();
  for (const path of [...inPath, ...pyenv, ...goldens]) {
    if (!existsSync(path)) continue;
    const python = facts(path);
    if (python !== undefined) found.set(`${python.version}${python.numpy ? " with NumPy" : ""}`, python);
  }
  return [...found.entries()]
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([, python]) => python);
}
