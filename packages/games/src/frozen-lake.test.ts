import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { withMistake } from "../testing/mistakes.ts";
import { noChance, SeededChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { ENDED, makeEnvironment, OWN, RUNNING, type SequentialRules } from "./environment.ts";
import { frozenLake } from "./frozen-lake.ts";

const goldens = readGoldens("frozen-lake");
const UP = 3;

test("passes the conformance kit", () => {
  expect(checkEnvironment(frozenLake)).toEqual([]);
});

test("plays as Gymnasium does", () => {
  expect(goldens.map((section) => section.options)).toHaveLength(4);
  expect(replayGoldens(frozenLake, goldens)).toEqual([]);
});

test.each([
  ["4x4", 100],
  ["8x8", 200],
])("is truncated as registered: %s after %d steps", (map_name, steps) => {
  const env = makeEnvironment(frozenLake, { map_name, is_slippery: false });
  const state = env.newState();
  env.reset(state, noChance);
  for (let step = 1; step < steps; step++) env.step(state, UP, state, noChance);
  expect(env.ended(state)).toBe(false);
  env.step(state, UP, state, noChance);
  expect(env.truncated(state)).toBe(true);
});

test("slips to each side and ahead equally often", () => {
  const env = makeEnvironment(frozenLake, { map_name: "8x8" });
  const chance = SeededChance.fromSeed(1);
  const start = env.newState();
  env.reset(start, chance);
  start.ints[OWN] = 9;
  const state = env.newState();
  const counts = new Map<number, number>();
  for (let i = 0; i < 3000; i++) {
    env.step(start, UP, state, chance);
    counts.set(state.ints[OWN]!, (counts.get(state.ints[OWN]!) ?? 0) + 1);
  }
  // From row 1, column 1: up is 1, right 10, left 8.
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual([1, 8, 10]);
  // Six standard deviations of a binomial with 3000 draws and p = 1/3: 155.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(155);
});

test("is drawn with the seat's place in brackets", () => {
  const env = makeEnvironment(frozenLake);
  const state = env.newState();
  env.reset(state, noChance);
  expect(env.render(state)).toBe("[S] F  F  F \n F  H  F  H \n F  F  F  H \n H  F  F  G ");
});

test("ice that slips backwards is noticed", () => {
  const wrong = withMistake<SequentialRules>(frozenLake, (right) => ({
    apply(state, seat, action, chance) {
      right.apply(state, seat, (action + 1) % 4, chance);
    },
  }));
  expect(replayGoldens(wrong, goldens)).not.toEqual([]);
});

test("a hole that holds is noticed", () => {
  const wrong = withMistake<SequentialRules>(frozenLake, (right) => ({
    apply(state, seat, action, chance) {
      right.apply(state, seat, action, chance);
      if (state.floats[0] === 0) state.ints[ENDED] = RUNNING;
    },
  }));
  expect(replayGoldens(wrong, goldens)).not.toEqual([]);
});
