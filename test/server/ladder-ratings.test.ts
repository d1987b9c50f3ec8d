/** Our ratings beside other people's implementations, on the same results: test/server/ratings. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { MatchResult } from "@lanista/arena/result";
import { standings } from "@lanista/arena/standings";
import { SeededChance } from "@lanista/games/chance";
import { bradleyTerry, type RankedMatch } from "@lanista/server/ladder/bradley-terry";
import { type AgentRating, fold } from "@lanista/server/ladder/rating";
import { beforeAll, describe, expect, it } from "vitest";
import { pythonPackages } from "./python.ts";

const folder = join(import.meta.dirname, "ratings");
const PRIOR = 0.5;

interface Others {
  readonly openskill: readonly (readonly [number, number])[];
  readonly bradley_terry: readonly number[];
  readonly points: readonly (readonly [number, number])[];
}

let python = "";
beforeAll(() => {
  const packages = pythonPackages(join(folder, "requirements.txt"));
  python = packages === null ? "" : join(packages, "bin", "python");
}, 300_000);

function others(agents: number, matches: readonly RankedMatch[]): Others {
  const input = JSON.stringify({ agents, matches, prior: PRIOR });
  const ran = spawnSync(python, [join(folder, "rate.py")], { input, encoding: "utf8", maxBuffer: 1e8 });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return JSON.parse(ran.stdout) as Others;
}

/** Matches between agents of known strengths, with draws. */
function played(agents: number, seats: number, count: number, seed: number): RankedMatch[] {
  const chance = SeededChance.fromSeed(seed);
  return Array.from({ length: count }, () => {
    const chosen: number[] = [];
    while (chosen.length < seats) {
      const agent = chance.below(agents);
      if (!chosen.includes(agent)) chosen.push(agent);
    }
    const scores = chosen.map((agent) => Math.round(agent / 2 + chance.uniform(-3, 3)));
    return { agents: chosen, ranks: scores.map((own) => 1 + scores.filter((score) => score > own).length) };
  });
}

/** Of ranks, as a tournament's result has them. */
function result({ ranks }: RankedMatch): MatchResult {
  const seats = ranks.map((rank) => ({ rank, score: -rank, faults: 0 }));
  return { outcome: { kind: "completed" }, seats } as unknown as MatchResult;
}

describe.each([
  ["two seats", 12, 2, 400, 1],
  ["four seats", 10, 4, 150, 2],
  ["few matches, and some agents with none", 30, 2, 25, 3],
] as const)("%s", (_, agents, seats, count, seed) => {
  const matches = played(agents, seats, count, seed);

  it("live ratings are openskill's for Python", (context) => {
    if (python === "") return context.skip("PyPI is out of reach");
    const ratings = new Map<string, AgentRating>();
    for (const match of matches)
      fold(
        ratings,
        match.agents.map((agent, seat) => ({
          agent: String(agent),
          version: "1",
          rank: match.ranks[seat]!,
          score: 0,
          fault: "",
        })),
      );
    for (const [agent, [mu, sigma]] of others(agents, matches).openskill.entries()) {
      const own = ratings.get(String(agent)) ?? { mu: 25, sigma: 25 / 3 };
      expect(own.mu).toBeCloseTo(mu, 8);
      expect(own.sigma).toBeCloseTo(sigma, 8);
    }
  });

  it("the final table is choix's maximum likelihood", (context) => {
    if (python === "") return context.skip("PyPI is out of reach");
    const own = bradleyTerry(agents, matches, { prior: PRIOR, tolerance: 1e-9 });
    for (const [agent, elo] of others(agents, matches).bradley_terry.entries()) expect(own[agent]).toBeCloseTo(elo, 3);
  });

  it("a tournament's table counts the same points", (context) => {
    if (python === "") return context.skip("PyPI is out of reach");
    const names = Array.from({ length: agents }, (_, agent) => `agent ${agent}`);
    const table = standings(
      names,
      matches.map((match) => ({ agents: match.agents, result: result(match) })),
    );
    const { points } = others(agents, matches);
    for (const row of table) expect([row.played, row.points]).toEqual(points[row.index]);
  });
});
