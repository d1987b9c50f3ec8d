import { SeededChance } from "@lanista/games/chance";
import { describe, expect, it } from "vitest";
import type { LoggedSeat } from "../db/types.ts";
import {
  type AgentRating,
  afterMatch,
  brokenInvariant,
  conservative,
  fold,
  INITIAL_SIGMA,
  NEWCOMER,
  versionSigma,
} from "./rating.ts";

function seat(agent: string, rank: number, more: Partial<LoggedSeat> = {}): LoggedSeat {
  return { agent, version: "1", rank, score: 0, fault: "", ...more };
}

describe("a logged match", () => {
  it.each<[string, LoggedSeat[], RegExp | null]>([
    ["a win", [seat("a", 1), seat("b", 2)], null],
    ["a draw", [seat("a", 1), seat("b", 1)], null],
    ["three seats, two of them equal", [seat("a", 2), seat("b", 1), seat("c", 2)], null],
    ["a forfeit", [seat("a", 1), seat("b", 2, { fault: "timeout" })], null],
    ["a forfeit by everybody", [seat("a", 1, { fault: "crash" }), seat("b", 1, { fault: "timeout" })], null],
    ["one seat", [seat("a", 1)], /at least two seats/],
    ["an agent against itself", [seat("a", 1), seat("a", 2)], /two seats/],
    ["a rank left out", [seat("a", 1), seat("b", 3)], /rank 3 behind 1/],
    ["nobody first", [seat("a", 2), seat("b", 2)], /rank 2 behind 0/],
    ["a fraction of a rank", [seat("a", 1), seat("b", 1.5)], /rank 1.5/],
    ["a winner at fault", [seat("a", 1, { fault: "timeout" }), seat("b", 2)], /not last/],
    ["an innocent behind the guilty", [seat("a", 1, { fault: "crash" }), seat("b", 1)], /not last/],
    ["no score", [seat("a", 1, { score: Number.NaN }), seat("b", 2)], /score NaN/],
    ["no version", [seat("a", 1, { version: "" }), seat("b", 2)], /no version/],
  ])("%s", (_, seats, broken) => {
    if (broken === null) expect(brokenInvariant(seats)).toBeNull();
    else {
      expect(brokenInvariant(seats)).toMatch(broken);
      expect(() => fold(new Map(), seats)).toThrow(RangeError);
    }
  });
});

describe("live ratings", () => {
  it("move the winner up and the loser down, and make both better known", () => {
    const [won, lost] = afterMatch([NEWCOMER, NEWCOMER], [seat("a", 1), seat("b", 2)]) as [AgentRating, AgentRating];
    // openskill's own example of two newcomers, with tau 0.
    expect(won.mu).toBeCloseTo(27.635, 3);
    expect(won.sigma).toBeCloseTo(8.0655, 3);
    expect(lost.mu).toBeCloseTo(22.365, 3);
    expect(won).toMatchObject({ matches: 1, wins: 1, draws: 0, losses: 0, faults: 0, version: "1" });
    expect(lost).toMatchObject({ matches: 1, wins: 0, draws: 0, losses: 1, faults: 0 });
  });

  it("count a shared first rank as a draw, and a fault as a loss whatever the rank", () => {
    const [a] = afterMatch([NEWCOMER, NEWCOMER], [seat("a", 1), seat("b", 1)]);
    expect(a).toMatchObject({ draws: 1, losses: 0 });
    const both = afterMatch(
      [NEWCOMER, NEWCOMER],
      [seat("a", 1, { fault: "crash" }), seat("b", 1, { fault: "timeout" })],
    );
    for (const one of both) expect(one).toMatchObject({ draws: 0, losses: 1, faults: 1, mu: 25 });
  });

  it("do not depend on the seats' order", () => {
    const seats = [seat("a", 2), seat("b", 1), seat("c", 2), seat("d", 4)];
    const ratings = (order: readonly LoggedSeat[]): Map<string, AgentRating> => {
      const map = new Map<string, AgentRating>();
      fold(map, order);
      return map;
    };
    const one = ratings(seats);
    const other = ratings([...seats].reverse());
    for (const { agent } of seats) {
      expect(other.get(agent)!.mu).toBeCloseTo(one.get(agent)!.mu, 9);
      expect(other.get(agent)!.sigma).toBeCloseTo(one.get(agent)!.sigma, 9);
    }
  });
});

describe("a new version", () => {
  const known: AgentRating = { ...NEWCOMER, version: "1", matches: 200, mu: 30, sigma: 1.2 };

  it("keeps mu and grows sigma, never beyond a newcomer's", () => {
    expect(versionSigma(1.2)).toBeCloseTo(Math.hypot(1.2, 25 / 6), 12);
    expect(versionSigma(INITIAL_SIGMA)).toBe(INITIAL_SIGMA);
  });

  it("stands lower on the board after a win than the old version would", () => {
    const against = { ...known };
    const old = afterMatch([known, against], [seat("a", 1), seat("b", 2)])[0]!;
    const fresh = afterMatch([known, against], [seat("a", 1, { version: "2" }), seat("b", 2)])[0]!;
    expect(fresh.version).toBe("2");
    expect(conservative(fresh)).toBeLessThan(conservative(old));
    expect(fresh.mu).toBeGreaterThan(old.mu);
  });

  it("of the same strength gains its agent nothing, however often it is handed in", () => {
    // Fifty equals; some hand the same program in again every so many matches. The board's best place is what they try for.
    const best = (every: number): number => {
      let sum = 0;
      for (let run = 0; run < 20; run++) {
        const chance = SeededChance.fromSeed(run);
        const ratings = new Map<string, AgentRating>();
        let highest = -Infinity;
        for (let match = 0; match < 200; match++) {
          const version = every === 0 ? "1" : String(Math.floor(match / every) + 1);
          const won = chance.below(2);
          fold(ratings, [seat("a", 1 + won, { version }), seat(`other ${chance.below(50)}`, 2 - won)]);
          if (match >= 20) highest = Math.max(highest, conservative(ratings.get("a")!));
        }
        sum += highest;
      }
      return sum / 20;
    };
    const honest = best(0);
    for (const every of [1, 5, 20, 50]) expect(best(every)).toBeLessThan(honest);
  });
});
