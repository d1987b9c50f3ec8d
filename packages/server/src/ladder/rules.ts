/** A ladder's rules as they are stored: complete, every default filled in when the ladder was made. */
import { z } from "zod";
import { boxLimits } from "../jobs/payloads.ts";

export const storedRules = z.strictObject({
  env: z.string(),
  options: z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])),
  seats: z.int(),
  episodes: z.int(),
  limits: boxLimits,
  actSeconds: z.number(),
  startSeconds: z.number(),
  matchSeconds: z.number(),
  queue: z.string(),
  tier: z.string(),
  placementMatches: z.int(),
  cooldownSeconds: z.int(),
  dailyMatches: z.int(),
  agentsPerParticipant: z.int(),
  parallelMatches: z.int(),
  enoughSigma: z.number(),
});
export type StoredRules = z.infer<typeof storedRules>;

/** Of a ladder's row. */
export function ladderRules(ladder: { readonly rules: unknown }): StoredRules {
  return storedRules.parse(ladder.rules);
}
