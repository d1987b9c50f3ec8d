import { expect, test } from "vitest";
import { parseGolden, readGoldens, replayGoldens } from "../testing/goldens.ts";
import { misprinted } from "../testing/mistakes.ts";
import { environments } from "./registry.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

const golden = `# A game that the first seat wins.
env tic-tac-toe {}
perft 9,72
episode seat=0 legal=0-8
0 seat=1 legal=1-8
3 seat=0 legal=1-2,4-8 obs0=1,0,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0
1 seat=1 legal=2,4-8
4 seat=0 legal=2,5-8
2 reward=1,-1
end terminated return=1,-1 board=xxx/oo./...
`;

const differences = (text: string) => replayGoldens(ticTacToe, parseGolden("golden.txt", text));

test("a right golden has no differences", () => {
  expect(differences(golden)).toEqual([]);
});

test.each([
  ["perft 9,72", "perft 9,73", "golden.txt: perft 2 is 72, but should be 73"],
  ["1 seat=1", "1 seat=0", "golden.txt:7: the seat to act is 1, but should be 0"],
  ["legal=2,4-8", "legal=4-8", "golden.txt:7: the list of legal actions is 2,4,5,6,7,8, but should be 4,5,6,7,8"],
  ["obs0=1,0", "obs0=1,0.00000001", "golden.txt:6: seat 0's observation is 1,0,"],
  ["reward=1,-1", "reward=1,0", "golden.txt:9: the reward is 1,-1, but should be 1,0"],
  ["4 seat=0", "4 reward=1,-1 seat=0", "golden.txt:8: the reward is 0,0, but should be 1,-1"],
  ["return=1,-1", "return=-1,1", "golden.txt:9: the returns are 1,-1, but should be -1,1"],
  ["xxx/oo.", "xxx/o.o", "golden.txt:9: seat 0 does not observe the board xxx/o.o/...; seat 1 does not"],
  ["xxx/oo./...", "xxx/oo.", "golden.txt:9: Error: not a board of tic-tac-toe: xxx/oo."],
  ["xxx/oo.", "xxx/bb.", "golden.txt:9: Error: not a board of tic-tac-toe: xxx/bb./..."],
  [
    "end terminated",
    "end truncated",
    "golden.txt:9: our episode is terminated after this step, but should be truncated",
  ],
  [
    "2 reward=1,-1\nend terminated return=1,-1 board=xxx/oo./...",
    "end terminated",
    "golden.txt:8: our episode is open after this step",
  ],
  ["end terminated", "5 seat=1\nend terminated", "golden.txt:10: our episode ended before this step"],
  ["episode seat=0", "episode chance=1 seat=0", "golden.txt:9: not every chance outcome was drawn"],
])("%j as %j is a difference", (right, wrong, difference) => {
  expect(golden.split(right)).toHaveLength(2);
  expect(differences(golden.replace(right, wrong))).toEqual([expect.stringContaining(difference)]);
});

test.each([
  ["env tic-tac-toe {}\n", ""],
  ["end terminated return=1,-1 board=xxx/oo./...\n", ""],
  ["obs0", "obs"],
  ["perft 9,72", "perft 9,x"],
])("a golden with %j as %j is refused", (right, wrong) => {
  expect(() => differences(golden.replace(right, wrong))).toThrow();
});

test("a misprint that is no mistake is not noticed", async () => {
  const same = await misprinted("tic-tac-toe.ts", "[2, 4, 6]", "[6, 4, 2]");
  expect(replayGoldens(same, readGoldens("tic-tac-toe"))).toEqual([]);
  await expect(misprinted("tic-tac-toe.ts", "[2, 4, 9]", "")).rejects.toThrow("stands 0 times");
});

test.each([...environments.keys()])("%s has goldens to be compared with", (id) => {
  expect(readGoldens(id).flatMap((section) => section.episodes).length).toBeGreaterThan(0);
});
