/** From a case's episodes to a value in 0 … 1. */
import type { Scoring } from "./manifest.ts";
import type { PlayMeasure } from "./measures.ts";

export interface PlayedCase {
  /** Each episode's sum of rewards, seat by seat. */
  readonly returns: readonly (readonly number[])[];
  /** Over all episodes. */
  readonly steps: number;
}

/**
 * What the scoring looks at, over all episodes: `reward`, the mean return of the seat; `win-rate`, the share of episodes won, a
 * drawn one counting half (one is won by the greatest return; alone, by one above 0); `steps`, the mean length of an episode.
 */
export function measure(by: PlayMeasure, seat: number, { returns, steps }: PlayedCase): number {
  const mean = (of: readonly number[]): number => of.reduce((sum, each) => sum + each, 0) / returns.length;
  switch (by) {
    case "reward":
      return mean(returns.map((episode) => episode[seat]!));
    case "win-rate":
      return mean(returns.map((episode) => won(episode, seat)));
    case "steps":
      return steps / returns.length;
  }
}

function won(episode: readonly number[], seat: number): number {
  const own = episode[seat]!;
  const best = Math.max(...episode.filter((_, other) => other !== seat), episode.length === 1 ? 0 : -Infinity);
  return own > best ? 1 : own === best && episode.length > 1 ? 0.5 : 0;
}

/** `zero` is worth 0 and `full` 1, in whichever direction; between them it is straight, beyond them flat. */
export function worth({ zero, full }: Scoring, measured: number): number {
  return Math.min(1, Math.max(0, (measured - zero) / (full - zero)));
}
