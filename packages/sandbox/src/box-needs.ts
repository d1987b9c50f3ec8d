/** Small answers that a box's start needs: room for its runtime, whether its program is there, the filter in crun's form. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Allowance } from "./cgroup.ts";
import { SandboxError } from "./errors.ts";
import { kindInRoot } from "./roots/in-root.ts";
import type { OciRuntime } from "./runtimes.ts";
import type { Limits, ReadOnlyMount } from "./types.ts";

/**
 * Room for runtimes that live in the box's own groups: crun is one task; gVisor's kernel is a Go program of many threads,
 * and holds several tasks for each process of the program, more for a busy one.
 */
export function allowance(runtime: OciRuntime, limits: Limits): Allowance {
  switch (runtime) {
    case "crun":
      return { pids: 1, memoryBytes: 2 * 1024 * 1024 };
    case "runc":
      return { pids: 0, memoryBytes: 0 };
    case "runsc":
      return { pids: 512 + 15 * limits.pids, memoryBytes: 64 * 1024 * 1024 };
  }
}

/** What crun keeps of a running container's filter, from the folder that only it and we can write. */
export function translatedFilter(state: string): string | undefined {
  try {
    const program = readFileSync(join(state, "seccomp.bpf"));
    // A filter is a sequence of 8-byte instructions.
    return program.length > 0 && program.length % 8 === 0 ? program.toString("base64") : undefined;
  } catch {
    // Another crun may keep none: then each box's filter is translated anew.
    return undefined;
  }
}

/**
 * Throws SandboxError `refused` on a program that would not be there in the box: no runtime need find that out. `image`: the
 * folder of the image that is the root, if one is.
 */
export function needProgram(path: string, layers: readonly ReadOnlyMount[], image?: string): void {
  const layer = layers.find(({ target }) => path.startsWith(`${target}/`));
  const merged = image === undefined && /^\/(bin|sbin|lib|lib64)\//.test(path) ? path : undefined;
  const onHost = layer === undefined ? merged : layer.source + path.slice(layer.target.length);
  const inImage =
    layer === undefined && image !== undefined && path.startsWith("/") && kindInRoot(image, path) === "file";
  if (!inImage && (onHost === undefined || !existsSync(onHost)))
    throw new SandboxError("refused", `there is no ${path} in the sandbox; a program is named by its whole path`);
}
