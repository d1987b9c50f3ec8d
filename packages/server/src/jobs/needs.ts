/** What a job asks of a machine: known from the bounds of its boxes, so that a claim gives no worker more than it can hold. */
import { defaultLimits } from "@lanista/sandbox/limits";
import type { z } from "zod";
import type { ResourcesRow } from "../db/types.ts";
import type { boxLimits } from "./payloads.ts";

/**
 * Every box may fill its memory, and memory that is given twice kills somebody. CPUs are one box's however many there are:
 * most of the time one seat thinks while the others wait, and where they do not, a seat's clock allows for a CPU it did not get.
 */
export function needsOf(limits: z.infer<typeof boxLimits>, boxes: number): ResourcesRow {
  const { cpus = defaultLimits.cpus, memoryBytes = defaultLimits.memoryBytes } = limits;
  return { cpus, memoryBytes: memoryBytes * boxes };
}
