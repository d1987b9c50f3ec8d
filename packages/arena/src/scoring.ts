/** From returns to scores and ranks. */
import type { EpisodeSource } from "./episodes/episodes.ts";

/**
 * The returns of an episode that faults ended, as the base rules settle an illegal action: the guilty get the least return,
 * the other seat of a two-seat zero-sum game the greatest, anybody else keeps what he had. If all are guilty of a
 * zero-sum game, all get 0.
 */
export function forfeitReturns(
  source: Pick<EpisodeSource, "returnRange" | "zeroSum" | "views">,
  soFar: readonly number[],
  guilty: readonly number[],
): number[] {
  const { returnRange, zeroSum, views } = source;
  const [least, greatest] = returnRange;
  if (zeroSum && guilty.length === views.length) return soFar.map(() => 0);
  return soFar.map((sum, seat) => {
    if (guilty.includes(seat)) return Number.isFinite(least) ? least : sum;
    return zeroSum && views.length === 2 && Number.isFinite(greatest) ? greatest : sum;
  });
}

/** 1 is best, equals share the better rank; the guilty come last, whatever they had scored, and share that rank. */
export function ranksOf(scores: readonly number[], guilty: readonly number[]): number[] {
  const innocent = scores.filter((_, seat) => !guilty.includes(seat));
  return scores.map((score, seat) =>
    guilty.includes(seat) ? innocent.length + 1 : 1 + innocent.filter((other) => other > score).length,
  );
}
