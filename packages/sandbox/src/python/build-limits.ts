/** What one build may use. What passes a bound is the requirements' fault. */
import { SandboxError } from "../errors.ts";

const GiB = 1024 ** 3;

export interface BuildLimits {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly cpus: number;
  /** Memory beside the disk's bytes, which are memory too: a build's disk is a tmpfs. */
  readonly memoryBytes: number;
  /** Everything that lies in the build's folder at once: downloads, what is compiled, the installed files. */
  readonly diskBytes: number;
  readonly diskFiles: number;
  readonly pids: number;
  /** From the index. */
  readonly downloadBytes: number;
}

export const defaultBuildLimits: BuildLimits = {
  wallSeconds: 900,
  cpuSeconds: 3600,
  cpus: 2,
  memoryBytes: 2 * GiB,
  diskBytes: 4 * GiB,
  diskFiles: 400_000,
  pids: 512,
  downloadBytes: 4 * GiB,
};

/** Throws SandboxError `refused` on an unknown name or what is no positive number. */
export function completeBuildLimits(given: Partial<BuildLimits> = {}): BuildLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultBuildLimits, name))
      throw new SandboxError(
        "refused",
        `a build has no limit "${name}"; known: ${Object.keys(defaultBuildLimits).join(", ")}`,
      );
    if (value !== undefined && !(Number.isFinite(value) && value > 0))
      throw new SandboxError("refused", `a build's limit ${name} must be a number above 0, not ${value}`);
  }
  return { ...defaultBuildLimits, ...given };
}
