import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { withMistake } from "../testing/mistakes.ts";
import { noChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { makeEnvironment, type SimultaneousRules } from "./environment.ts";
import { rockPaperScissors } from "./rock-paper-scissors.ts";

const goldens = readGoldens("rock-paper-scissors");
const [ROCK, PAPER, SCISSORS] = [0, 1, 2] as const;

test("passes the conformance kit", () => {
  expect(checkEnvironment(rockPaperScissors, undefined, { episodes: 5 })).toEqual([]);
});

test("plays as the second implementation does", () => {
  expect(goldens.length).toBeGreaterThan(0);
  expect(replayGoldens(rockPaperScissors, goldens)).toEqual([]);
});

test.each([
  [ROCK, ROCK, 0],
  [ROCK, PAPER, -1],
  [ROCK, SCISSORS, 1],
  [PAPER, ROCK, 1],
  [PAPER, PAPER, 0],
  [PAPER, SCISSORS, -1],
  [SCISSORS, ROCK, -1],
  [SCISSORS, PAPER, 1],
  [SCISSORS, SCISSORS, 0],
])("%d against %d is worth %d", (first, second, worth) => {
  const env = makeEnvironment(rockPaperScissors, { rounds: 1 });
  const state = env.newState();
  env.reset(state, noChance);
  env.stepJoint(state, [first, second], state, noChance);
  expect(env.reward(state, 0)).toBe(worth);
  expect(env.reward(state, 0) + env.reward(state, 1)).toBe(0);
  expect(env.terminated(state)).toBe(true);
});

test("is drawn as the choices so far", () => {
  const env = makeEnvironment(rockPaperScissors, { rounds: 4 });
  const state = env.newState();
  env.reset(state, noChance);
  for (const pair of [
    [ROCK, PAPER],
    [SCISSORS, PAPER],
    [PAPER, PAPER],
  ])
    env.stepJoint(state, pair, state, noChance);
  expect(env.render(state)).toBe("seat 0: rsp.\nseat 1: ppp.\nwinner: 10=.");
});

test("rock that beats paper is noticed", () => {
  const wrong = withMistake<SimultaneousRules>(rockPaperScissors, (right) => ({
    apply(state, actions, chance) {
      right.apply(state, actions, chance);
      if (actions[0] === ROCK && actions[1] === PAPER) state.floats.set([1, -1]);
    },
  }));
  expect(replayGoldens(wrong, goldens)).not.toEqual([]);
});

test("a view that has the two columns the wrong way round is noticed", () => {
  const wrong = withMistake<SimultaneousRules>(rockPaperScissors, (right) => ({
    observe(state, seat, out) {
      right.observe(state, 1 - seat, out);
    },
  }));
  expect(replayGoldens(wrong, goldens)).not.toEqual([]);
});
