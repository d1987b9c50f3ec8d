/** What a validation may take: of a machine, and of time. */
import { INSPECTION_MEMORY_BYTES, INSPECTION_SECONDS } from "@lanista/arena/validation/inspect";
import type { z } from "zod";
import type { ResourcesRow } from "../db/types.ts";
import { needsOf } from "./needs.ts";
import type { boxLimits } from "./payloads.ts";

/** A host that starves its boxes gives them more time. */
const PATIENCE = 3;
/** Seconds beside the boxes' own: the bundle is fetched and unpacked, boxes start and end. */
const AROUND = 300;

/** One box at a time: it looks the files through, then starts the agent. */
export function validationNeeds(limits: z.infer<typeof boxLimits>): ResourcesRow {
  const { memoryBytes = 0, ...needs } = needsOf(limits, 1);
  return { ...needs, memoryBytes: Math.max(memoryBytes, INSPECTION_MEMORY_BYTES) };
}

/**
 * Seconds for an attempt. More than each part of it may take by its own deadline: an agent that hangs is to be found at fault by
 * that, where the end of the attempt would be a fault of ours.
 */
export function validationSeconds(times: { readonly startSeconds: number; readonly actSeconds: number }): number {
  return Math.ceil(PATIENCE * (INSPECTION_SECONDS + times.startSeconds + times.actSeconds)) + AROUND;
}
