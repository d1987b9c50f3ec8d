/** Whose turn it is: one number, so that an index has the order. */
import { type AgentRating, versionSigma } from "./rating.ts";

/** Above any sigma: who is in his placement matches comes before everybody who is not. */
export const PLACEMENT = 100;

type Known = Pick<AgentRating, "sigma" | "matches" | "version">;

/** Sigma with which the agent's next match begins, if it is played with this version. */
export function sigmaNow(known: Pick<Known, "sigma" | "version">, versionId: string): number {
  return known.version === "" || known.version === versionId ? known.sigma : versionSigma(known.sigma);
}

export function inPlacement(known: Pick<Known, "matches">, placementMatches: number): boolean {
  return known.matches < placementMatches;
}

export function urgencyOf(known: Known, versionId: string, placementMatches: number): number {
  return sigmaNow(known, versionId) + (inPlacement(known, placementMatches) ? PLACEMENT : 0);
}
