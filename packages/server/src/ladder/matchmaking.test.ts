import { SeededChance } from "@lanista/games/chance";
import { describe, expect, it } from "vitest";
import { type Candidate, expectedSigmas, nextLineup, pairGain, type Situation, winProbability } from "./matchmaking.ts";
import { afterRanks } from "./rating.ts";
import { PAIRING_RULES, simulate } from "./simulation.ts";

function candidate(agent: string, mu: number, sigma: number, more: Partial<Candidate> = {}): Candidate {
  return { agent, mu, sigma, placement: false, resting: false, ...more };
}

function next(candidates: readonly Candidate[], more: Partial<Situation> = {}): string[] | null {
  const lineup = nextLineup({ candidates, seats: 2, mayMeet: () => true, chance: SeededChance.fromSeed(1), ...more });
  return lineup?.map(({ agent }) => agent).sort() ?? null;
}

describe("what a pair teaches", () => {
  it("is the mean fall of both variances over the match's ends, as openskill itself would rate them", () => {
    const chance = SeededChance.fromSeed(7);
    for (let trial = 0; trial < 100; trial++) {
      const [one, other] = [0, 1].map(() => ({ mu: chance.uniform(0, 50), sigma: chance.uniform(0.5, 8.3) })) as [
        Candidate,
        Candidate,
      ];
      const p = winProbability(one, other);
      const squares = (ranks: number[]): number =>
        afterRanks([one, other], ranks).reduce((sum, { sigma }) => sum + sigma ** 2, 0);
      const mean = p * squares([1, 2]) + (1 - p) * squares([2, 1]);
      expect(pairGain(one, other)).toBeCloseTo(one.sigma ** 2 + other.sigma ** 2 - mean, 9);
    }
  });

  it("is less where the end is known before, or the two are known", () => {
    const even = pairGain(candidate("a", 25, 4), candidate("b", 25, 4));
    expect(pairGain(candidate("a", 45, 4), candidate("b", 5, 4))).toBeLessThan(even / 5);
    expect(pairGain(candidate("a", 25, 2), candidate("b", 25, 2))).toBeLessThan(even / 5);
  });

  it("is expected of matches not yet over, and never more than they can give", () => {
    const two = [candidate("a", 25, 8), candidate("b", 25, 8)];
    const [after] = expectedSigmas(two);
    expect(after).toBeCloseTo(afterRanks(two, [1, 2])[0]!.sigma, 9);
    for (const sigma of expectedSigmas(Array.from({ length: 16 }, (_, seat) => candidate(String(seat), 25, 8))))
      expect(sigma).toBeGreaterThan(1);
  });
});

describe("the next line-up", () => {
  it("is the two from whom most is learnt", () => {
    expect(next([candidate("a", 25, 2), candidate("b", 26, 5), candidate("c", 24, 5), candidate("d", 60, 5)])).toEqual([
      "b",
      "c",
    ]);
  });

  it("has a newcomer first of all", () => {
    const others = [candidate("a", 25, 8), candidate("b", 25, 8)];
    expect(next([...others, candidate("c", 25, 3, { placement: true })])).toContain("c");
  });

  it("lets the well known rest, but be opponents", () => {
    const rest = { resting: true };
    expect(next([candidate("a", 25, 1, rest), candidate("b", 25, 1, rest)])).toBeNull();
    expect(next([candidate("a", 25, 1, rest), candidate("b", 25, 1, rest), candidate("c", 25, 2)])).toContain("c");
  });

  it("keeps apart who may not meet", () => {
    const apart: Situation["mayMeet"] = (one, other) => Math.abs(Number(one.agent) - Number(other.agent)) > 1;
    const three = ["1", "2", "3"].map((agent) => candidate(agent, 25, 8));
    expect(next(three, { mayMeet: apart })).toEqual(["1", "3"]);
    expect(next(three.slice(0, 2), { mayMeet: apart })).toBeNull();
    expect(next([])).toBeNull();
  });

  it("fills more seats than two, or none", () => {
    const some = Array.from({ length: 6 }, (_, at) => candidate(String(at), 20 + at, 4 + at / 10));
    const lineup = next(some, { seats: 4 })!;
    expect(new Set(lineup).size).toBe(4);
    expect(next(some, { seats: 7 })).toBeNull();
    const odd: Situation["mayMeet"] = (one, other) => (Number(one.agent) + Number(other.agent)) % 2 === 0;
    expect(next(some, { seats: 3, mayMeet: odd })).toEqual(["1", "3", "5"]);
  });

  it("is the same for the same chance, and not always the same among equals", () => {
    const equals = Array.from({ length: 10 }, (_, at) => candidate(String(at), 25, 25 / 3));
    const of = (seed: number): string => next(equals, { chance: SeededChance.fromSeed(seed) })!.join();
    expect(of(3)).toBe(of(3));
    expect(new Set(Array.from({ length: 20 }, (_, seed) => of(seed))).size).toBeGreaterThan(5);
  });
});

it("every rule of pairing finds the order of known strengths, and information gain the best of them", () => {
  const strengths = Array.from({ length: 10 }, (_, agent) => 25 + 3 * agent);
  const mean = PAIRING_RULES.map((rule) => {
    const taus = Array.from(
      { length: 12 },
      (_, seed) => simulate({ rule, strengths, matches: 150, stride: 150, seed }).board[0]!,
    );
    return taus.reduce((sum, tau) => sum + tau, 0) / taus.length;
  });
  for (const tau of mean) expect(tau).toBeGreaterThan(0.85);
  expect(mean[2]!).toBe(Math.max(...mean));
});
