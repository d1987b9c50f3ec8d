/**
 * When a worker takes no jobs: while its machine has less free than one of its queues, or whoever started it, wants to be
 * kept free. It takes jobs again when a little more than that is free, so that it does not change its mind all the time.
 */
import type { ResourcesRow } from "../db/types.ts";
import type { Machine } from "./machine.ts";

/** How much more than the floor must be free again. */
const MARGIN = 0.1;

export interface Floor {
  /** For people: a queue's name, or what else asks for it. */
  readonly of: string;
  readonly keepFree: ResourcesRow;
}

const WORDS = {
  cpus: (value: number) => `${value.toFixed(1)} CPUs`,
  memoryBytes: (value: number) => `${(value / 1024 ** 3).toFixed(2)} GiB of memory`,
  gpus: (value: number) => `${value} GPUs`,
  vramBytes: (value: number) => `${(value / 1024 ** 3).toFixed(2)} GiB of GPU memory`,
} as const;
const NAMES = Object.keys(WORDS) as (keyof typeof WORDS)[];

/** Why no jobs are taken now; empty where they are. `paused`: whether none were taken until now. */
export function pauseReason(floors: readonly Floor[], free: Machine, total: Machine, paused: boolean): string {
  for (const { of, keepFree } of floors)
    for (const name of NAMES) {
      const floor = keepFree[name] ?? 0;
      if (floor <= 0) continue;
      // Where more is asked for than there is, or nearly all of it, no margin could ever be had.
      const needed = paused ? Math.max(floor, Math.min(floor * (1 + MARGIN), total[name])) : floor;
      if (free[name] >= needed) continue;
      return `${WORDS[name](free[name])} are free, and ${of} keeps ${WORDS[name](floor)}`.slice(0, 200);
    }
  return "";
}
