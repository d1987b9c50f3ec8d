/** What no answer shows: faults and broken boxes of seats that were not asked, or behind what they answered. */
import type { Guilt } from "./judge.ts";
import type { Seat } from "./seat.ts";
import type { BoxFailure } from "./seat-fault.ts";

function sort(guilty: Guilt[]): void {
  guilty.sort((a, b) => a.seat - b.seat);
}

/** Adds the seats that wrote while nothing was asked. They are not told again: for a match that such a fault ends. */
export function addLatent(guilty: Guilt[], seats: readonly Seat[]): void {
  for (const { index, latentFault } of seats)
    if (latentFault !== undefined && !guilty.some((one) => one.seat === index))
      guilty.push({ seat: index, ...latentFault });
  sort(guilty);
}

/**
 * Adds the seats whose program can answer nothing more, by their own doing: for a step that ends the match before it is
 * decided. Such a seat would be forfeited at its next question, so nobody may win because another's end came to light first.
 */
export function addDead(guilty: Guilt[], seats: readonly Seat[]): void {
  for (const { index, over } of seats) {
    if (over?.kind !== "fault") continue;
    const known = guilty.findIndex((one) => one.seat === index);
    if (known >= 0) guilty[known] = { ...guilty[known]!, dead: true };
    else guilty.push({ seat: index, ...over });
  }
  sort(guilty);
}

/** The boxes that are known to have failed by our doing, of seats that were asked and others. */
export function brokenBoxes(seats: readonly Seat[]): BoxFailure[] {
  return seats.flatMap(({ index, over }) =>
    over?.kind === "infra" ? [{ seat: index, detail: `seat ${index}: ${over.detail}` }] : [],
  );
}
