/**
 * Who used up a match's time. A match that ends by its own deadline has no result; if that were nobody's fault, whoever is
 * about to lose could save himself by answering slowly from then on. So the time is shared as by a chess clock: a seat
 * whose answers took more than its part of the match's time, but for one move, forfeits.
 */
import type { Replay } from "@lanista/games/replay-types";

export interface MatchTime {
  /** Of the whole match. */
  readonly matchSeconds: number;
  /** Of one answer: the one that was being waited for at the end is in no replay. */
  readonly actSeconds: number;
}

/** Seats; none where the time went elsewhere, and was ours. */
export function dawdlers(replay: Replay, { matchSeconds, actSeconds }: MatchTime): number[] {
  const seats = replay.header.seats.length;
  const thoughtMs = new Array<number>(seats).fill(0);
  for (const { steps } of replay.episodes)
    for (const { thinkMs } of steps) for (const [seat, ms] of thinkMs.entries()) thoughtMs[seat]! += ms ?? 0;
  return overPart(thoughtMs, { matchSeconds, actSeconds });
}

/** Of what each seat thought, those that thought more than their part. */
export function overPart(thoughtMs: readonly number[], { matchSeconds, actSeconds }: MatchTime): number[] {
  const seats = thoughtMs.length;
  // Where a move may take longer than a seat's whole part, half of that part is much already.
  const part = Math.max(matchSeconds / seats - actSeconds, matchSeconds / seats / 2);
  return thoughtMs.flatMap((ms, seat) => (ms > part * 1000 ? [seat] : []));
}
