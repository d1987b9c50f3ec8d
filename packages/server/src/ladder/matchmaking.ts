/**
 * Who plays whom next: the line-up from which the ratings learn most.
 *
 * What a pair teaches is the fall of both ratings' variance that the rating system itself expects of their match. It is
 * large where little is known of the two and either may win; a match whose end is known before teaches nothing.
 * Newcomers in their placement matches come first; who is known well enough rests, and may be chosen as an opponent.
 * Pure, and the same for the same chance.
 */
import type { Chance } from "@lanista/games/chance";
import type { Rating } from "openskill";
import { BETA } from "./rating.ts";

export interface Candidate extends Rating {
  readonly agent: string;
  /** Still has placement matches to play. */
  readonly placement: boolean;
  /** Known well enough: plays as an opponent only. */
  readonly resting: boolean;
}

export interface Situation<C extends Candidate = Candidate> {
  readonly candidates: readonly C[];
  readonly seats: number;
  /** Whether the two may sit in one match now: cooldowns, owners. Symmetric. */
  mayMeet(one: C, other: C): boolean;
  /** Decides between equals. */
  readonly chance: Chance;
}

/** Pairs that a line-up of more than two seats is tried to be built on. */
const TRIES = 64;

/** What the rating model takes for the probability that the first beats the second. */
export function winProbability(one: Rating, other: Rating): number {
  const scale = Math.sqrt(one.sigma ** 2 + other.sigma ** 2 + 2 * BETA ** 2);
  return 1 / (1 + Math.exp((other.mu - one.mu) / scale));
}

/** The expected fall of the first one's variance by a match of the two; openskill's is the same whoever wins. */
function fall(one: Rating, other: Rating): number {
  const p = winProbability(one, other);
  const scale = Math.sqrt(one.sigma ** 2 + other.sigma ** 2 + 2 * BETA ** 2);
  return p * (1 - p) * (one.sigma ** 5 / scale ** 3);
}

/** The expected fall of the two ratings' variances, in openskill's units squared. */
export function pairGain(one: Rating, other: Rating): number {
  return fall(one, other) + fall(other, one);
}

/**
 * The sigmas to expect once a match between these is over. What waits or runs is counted as if it had taught this much
 * already, so that the next match is made for somebody else.
 */
export function expectedSigmas(ratings: readonly Rating[]): number[] {
  return ratings.map((own, seat) => {
    const sum = ratings.reduce((total, other, at) => (at === seat ? total : total + fall(own, other)), 0);
    return Math.sqrt(Math.max(own.sigma ** 2 - sum, own.sigma ** 2 / ratings.length));
  });
}

interface Pair<C> {
  readonly one: C;
  readonly other: C;
  readonly placement: boolean;
  readonly gain: number;
  readonly lot: number;
}

function before<C>(a: Pair<C>, b: Pair<C>): number {
  return Number(b.placement) - Number(a.placement) || b.gain - a.gain || a.lot - b.lot;
}

/** The best pairs, best first. */
function bestPairs<C extends Candidate>({ candidates, mayMeet, chance }: Situation<C>, most: number): Pair<C>[] {
  const lots = candidates.map(() => chance.uniform(0, 1));
  const best: Pair<C>[] = [];
  for (const [at, one] of candidates.entries())
    for (let next = at + 1; next < candidates.length; next++) {
      const other = candidates[next]!;
      if (one.resting && other.resting) continue;
      const pair = {
        one,
        other,
        placement: one.placement || other.placement,
        gain: pairGain(one, other),
        lot: lots[at]! + lots[next]!,
      };
      const last = best[most - 1];
      if ((last !== undefined && before(last, pair) <= 0) || !mayMeet(one, other)) continue;
      const place = best.findIndex((known) => before(pair, known) < 0);
      best.splice(place < 0 ? best.length : place, 0, pair);
      if (best.length > most) best.pop();
    }
  return best;
}

function fill<C extends Candidate>(pair: Pair<C>, { candidates, seats, mayMeet }: Situation<C>): C[] | null {
  const seated = [pair.one, pair.other];
  while (seated.length < seats) {
    let best: C | null = null;
    let most = -1;
    for (const candidate of candidates) {
      if (seated.includes(candidate)) continue;
      const gain = seated.reduce((sum, one) => sum + pairGain(one, candidate), 0);
      if (gain <= most || !seated.every((one) => mayMeet(one, candidate))) continue;
      [best, most] = [candidate, gain];
    }
    if (best === null) return null;
    seated.push(best);
  }
  return seated;
}

/**
 * The next line-up, or null where nobody who does not rest can be matched. Every pair of candidates is weighed; seats
 * beyond two are filled one by one, each by who teaches most together with all that sit there.
 */
export function nextLineup<C extends Candidate>(situation: Situation<C>): C[] | null {
  for (const pair of bestPairs(situation, situation.seats === 2 ? 1 : TRIES)) {
    const lineup = fill(pair, situation);
    if (lineup !== null) return lineup;
  }
  return null;
}
