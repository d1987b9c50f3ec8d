/** Who beat whom, pair by pair: a match of more than two seats is as many pairs as it has. */
import type { LoggedSeat } from "../db/types.ts";

export interface PairResult {
  /** The one that comes first by id. */
  readonly a: string;
  readonly b: string;
  readonly winner: "a" | "b" | "draw";
}

/** Every pair of a match's agents. Equal ranks are a draw, also where both were at fault: neither beat the other. */
export function pairsOf(seats: readonly Pick<LoggedSeat, "agent" | "rank">[]): PairResult[] {
  return seats.flatMap((one, at) =>
    seats.slice(at + 1).map((other): PairResult => {
      const [a, b] = one.agent < other.agent ? [one, other] : [other, one];
      return { a: a.agent, b: b.agent, winner: a.rank < b.rank ? "a" : a.rank > b.rank ? "b" : "draw" };
    }),
  );
}
