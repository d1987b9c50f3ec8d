/**
 * Batch ratings for finals: Bradley and Terry's model, fitted to all matches at once.
 *
 * The fit is the minorise–maximise iteration of Hunter, "MM algorithms for generalized Bradley–Terry models" (2004). A
 * draw is half a win for each. Every agent has besides `prior` drawn games against an opponent of strength 0 that
 * nobody plays: so one who won or lost everything has a finite strength, and agents that never met can be compared.
 * Strengths are in Elo points (a difference of 400 is odds of ten to one), their mean is 0.
 */
import { SeededChance } from "@lanista/games/chance";
import { pairsOf } from "./pair-tally.ts";

/** Drawn games against the standard opponent. */
const PRIOR = 0.5;
/** Elo points between two iterations at which the fit is good enough. */
const TOLERANCE = 1e-6;
const MAX_ITERATIONS = 100_000;
const ELO = 400 / Math.LN10;

/** One match: agents' indices and their ranks, by seat. */
export interface RankedMatch {
  readonly agents: readonly number[];
  readonly ranks: readonly number[];
}

export interface FitOptions {
  readonly prior?: number;
  readonly tolerance?: number;
}

export interface FinalRow {
  /** Elo points. */
  readonly elo: number;
  /** The 95 % interval's ends. */
  readonly low: number;
  readonly high: number;
}

interface Pairs {
  /** Two indices a pair. */
  readonly ends: Int32Array;
  /** Of each match, its pairs' numbers and the first end's points. */
  readonly matches: readonly (readonly { readonly pair: number; readonly points: number }[])[];
}

function pairUp(matches: readonly RankedMatch[]): Pairs {
  const numbers = new Map<string, number>();
  const ends: number[] = [];
  const split = matches.map(({ agents, ranks }) =>
    pairsOf(agents.map((agent, seat) => ({ agent: String(agent), rank: ranks[seat]! }))).map(({ a, b, winner }) => {
      const key = `${a} ${b}`;
      let pair = numbers.get(key);
      if (pair === undefined) {
        pair = numbers.size;
        numbers.set(key, pair);
        ends.push(Number(a), Number(b));
      }
      return { pair, points: winner === "a" ? 1 : winner === "b" ? 0 : 0.5 };
    }),
  );
  return { ends: Int32Array.from(ends), matches: split };
}

/** Hunter's iteration. `games` and `points` (of the first end) by pair; starts from `strengths` and leaves the fit there. */
function iterate(
  ends: Int32Array,
  games: Float64Array,
  points: Float64Array,
  strengths: Float64Array,
  prior: number,
  tolerance: number,
): void {
  const agents = strengths.length;
  const won = new Float64Array(agents).fill(prior / 2);
  for (let pair = 0; pair < games.length; pair++) {
    won[ends[2 * pair]!]! += points[pair]!;
    won[ends[2 * pair + 1]!]! += games[pair]! - points[pair]!;
  }
  const denominators = new Float64Array(agents);
  for (let round = 0; round < MAX_ITERATIONS; round++) {
    for (let agent = 0; agent < agents; agent++) denominators[agent] = prior / (strengths[agent]! + 1);
    for (let pair = 0; pair < games.length; pair++) {
      if (games[pair] === 0) continue;
      const a = ends[2 * pair]!;
      const b = ends[2 * pair + 1]!;
      const share = games[pair]! / (strengths[a]! + strengths[b]!);
      denominators[a]! += share;
      denominators[b]! += share;
    }
    let moved = 0;
    for (let agent = 0; agent < agents; agent++) {
      const next = won[agent]! / denominators[agent]!;
      moved = Math.max(moved, Math.abs(Math.log(next / strengths[agent]!)));
      strengths[agent] = next;
    }
    if (moved * ELO < tolerance) return;
  }
}

function elo(strengths: Float64Array): number[] {
  const logs = Array.from(strengths, (strength) => ELO * Math.log(strength));
  const mean = logs.reduce((sum, one) => sum + one, 0) / Math.max(1, logs.length);
  return logs.map((one) => one - mean);
}

function tally(pairs: Pairs, chosen: Iterable<number>): { games: Float64Array; points: Float64Array } {
  const games = new Float64Array(pairs.ends.length / 2);
  const points = new Float64Array(pairs.ends.length / 2);
  for (const match of chosen)
    for (const { pair, points: own } of pairs.matches[match]!) {
      games[pair]! += 1;
      points[pair]! += own;
    }
  return { games, points };
}

/** The agents' strengths in Elo points, mean 0. */
export function bradleyTerry(agents: number, matches: readonly RankedMatch[], options: FitOptions = {}): number[] {
  const pairs = pairUp(matches);
  const { games, points } = tally(pairs, matches.keys());
  const strengths = new Float64Array(agents).fill(1);
  iterate(pairs.ends, games, points, strengths, options.prior ?? PRIOR, options.tolerance ?? TOLERANCE);
  return elo(strengths);
}

export interface IntervalOptions extends FitOptions {
  /** 0 … 2^53 − 1. */
  readonly seed: number;
  /** How many tables are drawn; default 1000. */
  readonly resamples?: number;
  readonly signal?: AbortSignal;
}

/** Of sorted values, linear between neighbours. */
function quantile(sorted: Float64Array, at: number): number {
  const place = at * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below]!;
  return low + (sorted[Math.min(below + 1, sorted.length - 1)]! - low) * (place - below);
}

/**
 * Strengths with 95 % intervals: whole matches are drawn again with replacement, each such table is fitted, and the
 * interval is between the 2.5th and the 97.5th percentile. The same seed gives the same intervals. Lets others run
 * between tables, as a large one takes seconds in all.
 */
export async function finalTable(
  agents: number,
  matches: readonly RankedMatch[],
  options: IntervalOptions,
): Promise<FinalRow[]> {
  const { seed, resamples = 1000, prior = PRIOR, tolerance = TOLERANCE } = options;
  const pairs = pairUp(matches);
  const all = tally(pairs, matches.keys());
  const fitted = new Float64Array(agents).fill(1);
  iterate(pairs.ends, all.games, all.points, fitted, prior, tolerance);
  const samples = Array.from({ length: agents }, () => new Float64Array(resamples));
  const chance = SeededChance.fromSeed(seed);
  let rested = performance.now();
  for (let sample = 0; sample < resamples; sample++) {
    const { games, points } = tally(
      pairs,
      matches.map(() => chance.below(matches.length)),
    );
    const strengths = Float64Array.from(fitted);
    // A thousandth of an Elo point is far below what resampling itself scatters.
    iterate(pairs.ends, games, points, strengths, prior, Math.max(tolerance, 1e-3));
    for (const [agent, value] of elo(strengths).entries()) samples[agent]![sample] = value;
    if (performance.now() - rested > 10) {
      await new Promise((resolve) => setImmediate(resolve));
      options.signal?.throwIfAborted();
      rested = performance.now();
    }
  }
  return elo(fitted).map((value, agent) => {
    const sorted = samples[agent]!.sort();
    return { elo: value, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
  });
}
