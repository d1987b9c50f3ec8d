/** The OCI runtimes of this host: where they are, and which version. Asked once, and only of those that are needed. */
import { execFile } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { SandboxError } from "./errors.ts";
import type { Runtime, Tier } from "./types.ts";

const run = promisify(execFile);

/** Those that are called directly; the tier `docker` leaves that to an engine. */
export type OciRuntime = Exclude<Runtime, "docker" | "none">;

/** In order of preference. */
export const runtimesOf: Readonly<Record<Exclude<Tier, "docker" | "none">, readonly OciRuntime[]>> = {
  container: ["crun", "runc"],
  gvisor: ["runsc"],
};

/** Debian's package for each program that a box needs. */
export const packageOf: Readonly<Record<string, string>> = {
  crun: "crun",
  runc: "runc",
  runsc: "runsc",
  setpriv: "util-linux",
  unshare: "util-linux",
  newuidmap: "uidmap",
  dockerd: "docker.io",
  umoci: "umoci",
};

/** The path of an executable in PATH or the places where system tools live; undefined if there is none. */
export function findExecutable(name: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"]) {
    if (folder === "") continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** Throws SandboxError `refused` with the package to install. */
export function needExecutable(name: string): string {
  const path = findExecutable(name);
  if (path === undefined)
    throw new SandboxError(
      "refused",
      `${name} is not installed; on Debian: apt-get install ${packageOf[name] ?? name}`,
    );
  return path;
}

/** Such as "crun 1.8.1". */
export async function versionOf(runtime: OciRuntime, path: string): Promise<string> {
  try {
    const { stdout } = await run(path, ["--version"], { timeout: 20_000 });
    return stdout.split("\n")[0]!.replace(" version", "").trim() || runtime;
  } catch (error) {
    throw new SandboxError("fault", `${path} --version failed: ${(error as Error).message}`, { cause: error });
  }
}

export function kernelRelease(): string {
  return readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
}
