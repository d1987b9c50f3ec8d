import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { withMistake } from "../testing/mistakes.ts";
import { completeGames, distinctStates } from "../testing/perft.ts";
import { ACTORS, ENDED, makeEnvironment, OWN, RUNNING, type SequentialRules, type State } from "./environment.ts";
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

test("a missed diagonal is noticed", () => {
  const wrong = withMistake<SequentialRules>(ticTacToe, (right) => ({
    apply(state, seat, action, chance) {
      right.apply(state, seat, action, chance);
      const won = [2, 4, 6].every((cell) => state.ints[OWN + cell] === seat + 1);
      const full = state.ints.subarray(OWN).every((cell) => cell !== 0);
      if (!won || full) return;
      state.ints[ENDED] = RUNNING;
      state.ints[ACTORS] = 2 - seat;
      state.floats.fill(0);
    },
  }));
  expect(replayGoldens(wrong, goldens)).not.toEqual([]);
});
