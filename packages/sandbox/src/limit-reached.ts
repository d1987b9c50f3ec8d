import type { CgroupReading } from "./cgroup.ts";
import type { Cause, Limits } from "./types.ts";

/** The limit that a box has reached, if it has; `used` is what no counter of the kernel's says. */
export function limitReached(
  limits: Limits,
  reading: CgroupReading,
  used: { readonly outputBytes: number; readonly scratchFull: () => boolean },
): Cause | undefined {
  if (reading.memoryKills > 0)
    return reading.memoryLimitReached
      ? { kind: "memory" }
      : {
          kind: "runtimeFault",
          detail: "the host itself ran out of memory, and its kernel chose a process of this sandbox",
        };
  if (reading.pidsRefused > 0)
    return reading.pidsLimitReached
      ? { kind: "pids" }
      : {
          kind: "runtimeFault",
          detail:
            "this sandbox was refused a process by a limit above its own: the host's, or of the container it is in",
        };
  if (reading.cpuMs >= limits.cpuSeconds * 1000) return { kind: "cpuTime" };
  if (used.outputBytes > limits.outputBytes) return { kind: "output" };
  if (used.scratchFull()) return { kind: "scratch" };
  return undefined;
}
