/**
 * Live ratings: openskill's (Weng and Lin's Bayesian approximation for the Plackett–Luce model), as a pure function of
 * the match log. The same function rates a match when it ends and when the whole log is recomputed.
 *
 * One choice differs from openskill's defaults: `tau` is 0. An agent's strength does not drift by itself, its code is what
 * changes it, and a new version is what makes us unsure again. (With openskill's tau sigma never falls below some 1.4.)
 */
import { type Rating, rate } from "openskill";
import type { LoggedSeat } from "../db/types.ts";

export const INITIAL_MU = 25;
export const INITIAL_SIGMA = 25 / 3;
/** What a new version adds to its agent's sigma, in squares: half of what a stranger's is. */
export const VERSION_SIGMA = INITIAL_SIGMA / 2;
/** The scatter of one match's performance. */
export const BETA = INITIAL_SIGMA / 2;
const OPTIONS = { mu: INITIAL_MU, sigma: INITIAL_SIGMA, beta: BETA, tau: 0 };

export interface AgentRating extends Rating {
  /** Of its latest logged match; empty before the first. */
  readonly version: string;
  readonly matches: number;
  /** Alone in the first rank. */
  readonly wins: number;
  /** Shared the first rank. */
  readonly draws: number;
  readonly losses: number;
  /** Matches lost by a fault of its own; counted among the losses too. */
  readonly faults: number;
}

export const NEWCOMER: AgentRating = {
  mu: INITIAL_MU,
  sigma: INITIAL_SIGMA,
  version: "",
  matches: 0,
  wins: 0,
  draws: 0,
  losses: 0,
  faults: 0,
};

/** What the board is ordered by. */
export function conservative({ mu, sigma }: Rating): number {
  return mu - 3 * sigma;
}

/** Sigma of an agent whose next match is its first with a new version: mu stays, so a resubmission alone only lowers the board's rating. */
export function versionSigma(sigma: number): number {
  return Math.min(INITIAL_SIGMA, Math.hypot(sigma, VERSION_SIGMA));
}

/** Says what is wrong with a match as it stands in the log, or null: nothing else may be in it. */
export function brokenInvariant(seats: readonly LoggedSeat[]): string | null {
  if (seats.length < 2) return `a rated match has at least two seats, not ${seats.length}`;
  if (new Set(seats.map((seat) => seat.agent)).size !== seats.length) return "an agent sits in two seats";
  const innocent = seats.filter((seat) => seat.fault === "").length;
  for (const [index, { version, rank, score, fault }] of seats.entries()) {
    if (version === "") return `seat ${index} has no version`;
    if (!Number.isFinite(score)) return `seat ${index} has the score ${score}`;
    const better = seats.filter((other) => other.rank < rank).length;
    if (rank !== better + 1) return `seat ${index} has the rank ${rank} behind ${better} others`;
    if (fault !== "" && rank !== innocent + 1) return `seat ${index} was at fault and is not last`;
  }
  return null;
}

/** Ratings after a match in which the seats ended in these ranks; equal ranks are ties. */
export function afterRanks(ratings: readonly Rating[], ranks: readonly number[]): Rating[] {
  const teams = rate(
    ratings.map(({ mu, sigma }) => [{ mu, sigma }]),
    { ...OPTIONS, rank: [...ranks] },
  );
  return teams.map(([one]) => one!);
}

/**
 * Ratings after a logged match, by seat. Throws a RangeError on a match that breaks an invariant.
 */
export function afterMatch(before: readonly AgentRating[], seats: readonly LoggedSeat[]): AgentRating[] {
  const broken = brokenInvariant(seats);
  if (broken !== null) throw new RangeError(broken);
  const fresh = before.map((one, seat) =>
    one.version === "" || one.version === seats[seat]!.version ? one : { ...one, sigma: versionSigma(one.sigma) },
  );
  const after = afterRanks(
    fresh,
    seats.map((seat) => seat.rank),
  );
  const first = seats.filter((seat) => seat.rank === 1 && seat.fault === "").length;
  return seats.map(({ version, rank, fault }, seat) => {
    const was = before[seat]!;
    const top = rank === 1 && fault === "";
    const { mu, sigma } = after[seat]!;
    return {
      mu,
      sigma,
      version,
      matches: was.matches + 1,
      wins: was.wins + (top && first === 1 ? 1 : 0),
      draws: was.draws + (top && first > 1 ? 1 : 0),
      losses: was.losses + (top ? 0 : 1),
      faults: was.faults + (fault === "" ? 0 : 1),
    };
  });
}

/** Folds one more match into the ratings: an agent that is not there is a newcomer. Throws as afterMatch does. */
export function fold(ratings: Map<string, AgentRating>, seats: readonly LoggedSeat[]): void {
  const after = afterMatch(
    seats.map((seat) => ratings.get(seat.agent) ?? NEWCOMER),
    seats,
  );
  for (const [index, seat] of seats.entries()) ratings.set(seat.agent, after[index]!);
}
