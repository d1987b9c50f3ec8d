import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { misprinted } from "../testing/mistakes.ts";
import { completeGames, distinctStates } from "../testing/perft.ts";
import { checkEnvironment } from "./conformance.ts";
import { makeEnvironment, OWN, type State } from "./environment.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

const goldens = readGoldens("tic-tac-toe");
const env = makeEnvironment(ticTacToe);

test("plays as OpenSpiel does", () => {
  expect(goldens.length).toBeGreaterThan(0);
  expect(replayGoldens(ticTacToe, goldens)).toEqual([]);
});

test("has as many games as https://oeis.org/A061526 says", () => {
  expect(completeGames(env)).toBe(255168);
});

/** The least of a board's eight rotations and reflections, as text. */
function canonical(state: State): string {
  const views: string[] = [];
  for (const [row, column] of [
    [3, 1],
    [1, 3],
  ] as const)
    for (const flip of [0, 2])
      for (const mirror of [0, 2]) {
        let text = "";
        for (let r = 0; r < 3; r++)
          for (let c = 0; c < 3; c++)
            text += state.ints[OWN + row * Math.abs(flip - r) + column * Math.abs(mirror - c)];
        views.push(text);
      }
  return views.sort()[0]!;
}

test("has as many positions after n plays, up to symmetry, as https://oeis.org/A008907 says", () => {
  const counts = Array.from({ length: 10 }, (_, plies) => distinctStates(env, plies, canonical));
  expect(counts).toEqual([1, 3, 12, 38, 108, 174, 204, 153, 57, 15]);
});

test("passes the conformance kit", () => {
  expect(checkEnvironment(ticTacToe)).toEqual([]);
});

test.each([
  ["a missed diagonal", "  [2, 4, 6],\n", ""],
  ["a line that is none", "[2, 4, 6]", "[2, 4, 7]"],
  ["a seat that moves twice", "ACTORS] = 1 << (1 - seat)", "ACTORS] = 1 << seat"],
  ["a loss without its reward", "floats[1 - seat] = -1;", ""],
  ["marks shown in the wrong order", "mark === 2 - seat ? 1", "mark === 2 ? 1"],
  ["a mark over another", "action < 9 && state.ints[OWN + action] === 0", "action < 9"],
])("%s is noticed", async (_name, right, wrong) => {
  const mistaken = await misprinted("tic-tac-toe.ts", right, wrong);
  expect([...replayGoldens(mistaken, goldens), ...checkEnvironment(mistaken)]).not.toEqual([]);
});
