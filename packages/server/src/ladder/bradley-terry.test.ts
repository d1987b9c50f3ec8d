import { SeededChance } from "@lanista/games/chance";
import { describe, expect, it } from "vitest";
import { bradleyTerry, finalTable, type RankedMatch } from "./bradley-terry.ts";

function games(one: number, other: number, won: number, drawn: number, lost: number): RankedMatch[] {
  const match = (ranks: number[]): RankedMatch => ({ agents: [one, other], ranks });
  return [
    ...Array.from({ length: won }, () => match([1, 2])),
    ...Array.from({ length: drawn }, () => match([1, 1])),
    ...Array.from({ length: lost }, () => match([2, 1])),
  ];
}

describe("Bradley–Terry", () => {
  it("gives two agents the odds of their games", () => {
    const [one, other] = bradleyTerry(2, games(0, 1, 30, 0, 10), { prior: 1e-9 }) as [number, number];
    expect(one - other).toBeCloseTo(400 * Math.log10(3), 3);
    expect(one + other).toBeCloseTo(0, 9);
  });

  it("takes a draw for half a win of each", () => {
    expect(bradleyTerry(2, games(0, 1, 5, 10, 0))).toEqual(bradleyTerry(2, games(0, 1, 10, 0, 5)));
  });

  it("gives who won everything, and who never played, a finite strength", () => {
    const table = bradleyTerry(3, games(0, 1, 20, 0, 0));
    expect(table.every(Number.isFinite)).toBe(true);
    expect(table[0]!).toBeGreaterThan(table[2]!);
    expect(table[2]!).toBeGreaterThan(table[1]!);
  });

  it("satisfies its own equations: every agent's expected points are its points", () => {
    const matches = [
      ...games(0, 1, 7, 1, 2),
      ...games(1, 2, 4, 0, 4),
      ...games(0, 2, 9, 2, 1),
      ...games(2, 3, 5, 0, 3),
    ];
    const prior = 0.5;
    const table = bradleyTerry(4, matches, { prior });
    // The standard opponent's place is the one unknown: found from the first agent, checked on the others.
    const p = (difference: number): number => 1 / (1 + 10 ** (-difference / 400));
    const lacks = (agent: number): number =>
      matches.reduce((sum, { agents, ranks }) => {
        const seat = agents.indexOf(agent);
        if (seat < 0) return sum;
        const points = ranks[seat]! < ranks[1 - seat]! ? 1 : ranks[seat]! > ranks[1 - seat]! ? 0 : 0.5;
        return sum + points - p(table[agent]! - table[agents[1 - seat]!]!);
      }, prior / 2);
    const place = (agent: number): number => table[agent]! + 400 * Math.log10(prior / lacks(agent) - 1);
    for (const agent of [1, 2, 3]) expect(place(agent)).toBeCloseTo(place(0), 2);
  });

  it("breaks a match of many seats into its pairs", () => {
    const one = bradleyTerry(3, [{ agents: [2, 0, 1], ranks: [1, 2, 2] }]);
    const other = bradleyTerry(3, [...games(2, 0, 1, 0, 0), ...games(2, 1, 1, 0, 0), ...games(0, 1, 0, 1, 0)]);
    expect(one).toEqual(other);
  });

  it("has intervals that hold the truth nineteen times in twenty, and the same for the same seed", async () => {
    const truth = [-150, -50, 50, 150];
    let held = 0;
    for (let run = 0; run < 50; run++) {
      const chance = SeededChance.fromSeed(run);
      const matches: RankedMatch[] = [];
      for (let one = 0; one < 4; one++)
        for (let other = one + 1; other < 4; other++)
          for (let game = 0; game < 40; game++) {
            const won = chance.uniform(0, 1) < 1 / (1 + 10 ** ((truth[other]! - truth[one]!) / 400));
            matches.push({ agents: [one, other], ranks: won ? [1, 2] : [2, 1] });
          }
      const table = await finalTable(4, matches, { seed: run, resamples: 200 });
      if (run === 0) expect(await finalTable(4, matches, { seed: run, resamples: 200 })).toEqual(table);
      for (const [agent, { low, elo, high }] of table.entries()) {
        expect(low).toBeLessThan(elo);
        expect(elo).toBeLessThan(high);
        if (low <= truth[agent]! && truth[agent]! <= high) held++;
      }
    }
    // 200 intervals; at 95 % each, fewer than 175 or all of them are out of reach of chance.
    expect(held).toBeGreaterThan(175);
    expect(held).toBeLessThan(200);
  });
});
