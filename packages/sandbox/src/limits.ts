import { SandboxError } from "./errors.ts";
import type { GiveUp, LimitName, Limits } from "./types.ts";

const MiB = 1024 * 1024;

/** Roomy enough for a Python agent with NumPy, tight enough for a small host. */
export const defaultLimits: Omit<Limits, "vramBytes"> = {
  cpus: 1,
  cpuSeconds: 3600,
  wallSeconds: 7200,
  memoryBytes: 512 * MiB,
  pids: 64,
  openFiles: 256,
  scratchBytes: 64 * MiB,
  scratchInodes: 4096,
  shmBytes: 16 * MiB,
  outputBytes: 32 * MiB,
};

/** The least that makes sense; below it no interpreter would start, and the end would look like the program's own fault. */
const least: Omit<Limits, "vramBytes"> = {
  cpus: 0.01,
  cpuSeconds: 0.01,
  wallSeconds: 0.01,
  memoryBytes: 4 * MiB,
  pids: 1,
  // crun itself holds one for each mount it makes, within the program's limit.
  openFiles: 32,
  scratchBytes: 4096,
  scratchInodes: 2,
  shmBytes: 4096,
  outputBytes: 1,
};

const fractional = new Set<LimitName>(["cpus", "cpuSeconds", "wallSeconds"]);
/** What has a bound by default. */
const boundedNames = Object.keys(defaultLimits) as Exclude<LimitName, "vramBytes">[];
export const limitNames: readonly LimitName[] = [...boundedNames, "vramBytes"];

/** Fills in the defaults. Throws SandboxError `refused` on an unknown name or a value that makes no sense. */
export function normaliseLimits(given: Partial<Limits> = {}): Limits {
  for (const name of Object.keys(given))
    if (!(limitNames as readonly string[]).includes(name))
      throw new SandboxError("refused", `unknown limit "${name}"; known: ${limitNames.join(", ")}`);
  const complete: Record<string, number> = {};
  for (const name of boundedNames) {
    const value = given[name] ?? defaultLimits[name];
    if (!Number.isFinite(value) || value < least[name] || (!fractional.has(name) && !Number.isInteger(value)))
      throw new SandboxError(
        "refused",
        `the limit ${name} must be ${fractional.has(name) ? "a number" : "an integer"} of at least ${least[name]}, not ${value}`,
      );
    complete[name] = value;
  }
  const { vramBytes } = given;
  if (vramBytes !== undefined) {
    if (!Number.isInteger(vramBytes) || vramBytes < 0)
      throw new SandboxError("refused", `the limit vramBytes must be an integer of at least 0, not ${vramBytes}`);
    complete.vramBytes = vramBytes;
  }
  return complete as unknown as Limits;
}

/** Throws SandboxError `refused` on a name that is no limit. */
export function normaliseGiveUp(given: readonly string[] = []): readonly GiveUp[] {
  for (const name of given)
    if (name !== "uid" && !limitNames.includes(name as LimitName))
      throw new SandboxError(
        "refused",
        `"${name}" is nothing that can be given up; known: ${limitNames.join(", ")}, uid`,
      );
  return [...new Set(given)] as GiveUp[];
}
