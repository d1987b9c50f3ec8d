import { expect, test } from "vitest";
import type { MatchResult, Outcome } from "./result.ts";
import { followed, type Meeting, standings } from "./standings.ts";

/** A match of two seats, or of one, of which only what a table reads is there. */
function meeting(agents: readonly number[], scores: readonly (number | null)[], outcome?: Outcome): Meeting {
  const best = Math.max(...scores.map((score) => score ?? 0));
  const seats = scores.map((score) => ({ score, rank: score === best ? 1 : 2, faults: 0 }));
  return { agents, result: { outcome: outcome ?? { kind: "completed" }, seats } as unknown as MatchResult };
}
const win = (winner: number, loser: number): Meeting => meeting([winner, loser], [1, -1]);
const ours = (agents: readonly number[], seat?: number): Meeting =>
  meeting(agents, [null, null], { kind: "infra_fault", detail: "", ...(seat === undefined ? {} : { seat }) });

test("a match lost to a fault of ours takes no place from the rival", () => {
  // The strong one wins all it plays, but both matches against the other are missing.
  const meetings = [win(0, 2), win(0, 2), ours([0, 1]), ours([1, 0]), win(1, 2), win(1, 2), win(3, 1), win(1, 3)];
  const table = standings(["strong", "other", "weak", "fourth"], meetings);
  expect(table.map(({ agent, rank, points, played }) => [agent, rank, points, played])).toEqual([
    ["strong", 1, 2, 2],
    ["other", 2, 3, 4],
    ["fourth", 3, 1, 2],
    ["weak", 4, 0, 4],
  ]);
});

test("equal shares of points go by points, then by the score of a match; equals share the rank", () => {
  const table = standings(["once", "twice", "beaten", "idle"], [win(0, 2), win(1, 2), win(1, 2)]);
  expect(table.map(({ agent, rank }) => [agent, rank])).toEqual([
    ["twice", 1],
    ["once", 2],
    ["idle", 3],
    ["beaten", 4],
  ]);
  const alone = [meeting([0], [-10]), meeting([1], [-8]), meeting([1], [-8])];
  expect(standings(["worse", "better"], alone).map((row) => row.agent)).toEqual(["better", "worse"]);
});

test("the agent whom our faults follow is named", () => {
  const names = ["a", "b", "c"];
  const who = (meetings: readonly Meeting[]) => followed(standings(names, meetings), meetings).map((row) => row.agent);
  expect(who([win(0, 1), ours([0, 2])])).toEqual([]);
  expect(who([win(0, 1), ours([0, 2], 1)])).toEqual(["c"]);
  expect(who([ours([0, 2]), ours([2, 1])])).toEqual(["c"]);
  expect(who([ours([0, 2]), ours([2, 0])])).toEqual([]);
  expect(who([ours([0, 2]), ours([2, 1]), ours([0, 1])])).toEqual([]);
});
