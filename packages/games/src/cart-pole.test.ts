import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { withMistake } from "../testing/mistakes.ts";
import { cartPole } from "./cart-pole.ts";
import { noChance, SeededChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { ENDED, makeEnvironment, RUNNING, type SequentialRules, type State } from "./environment.ts";

const goldens = readGoldens("cart-pole");
/** Where the rules keep things in `floats`. */
const [X, X_DOT, THETA, THETA_DOT] = [1, 2, 3, 4] as const;

/** Keeps the pole up and the cart near the middle. */
function balance({ floats }: State): number {
  const lean = Math.max(-0.05, Math.min(0.05, -0.1 * floats[X]! - 0.15 * floats[X_DOT]!));
  return floats[THETA]! - lean + 0.4 * floats[THETA_DOT]! > 0 ? 1 : 0;
}

test("passes the conformance kit", () => {
  expect(checkEnvironment(cartPole)).toEqual([]);
});

test("moves as Gymnasium's does", () => {
  expect(goldens.length).toBeGreaterThan(0);
  expect(replayGoldens(cartPole, goldens)).toEqual([]);
});

test("starts in ±0.05, drawn anew for each of the four numbers", () => {
  const env = makeEnvironment(cartPole);
  const state = env.newState();
  const chance = SeededChance.fromSeed(1);
  const drawn: number[] = [];
  for (let i = 0; i < 500; i++) {
    env.reset(state, chance);
    drawn.push(...state.floats.subarray(1));
  }
  expect(new Set(drawn).size).toBe(2000);
  expect(Math.max(...drawn)).toBeLessThan(0.05);
  expect(Math.max(...drawn)).toBeGreaterThan(0.049);
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(-0.05);
  expect(Math.min(...drawn)).toBeLessThan(-0.049);
});

test.each([1, 2, 3])("a pole that stands is truncated after 500 steps, with a return of 500 (seed %d)", (seed) => {
  const env = makeEnvironment(cartPole);
  const state = env.newState();
  env.reset(state, SeededChance.fromSeed(seed));
  let total = 0;
  while (!env.ended(state)) {
    env.step(state, balance(state), state, noChance);
    total += env.reward(state, 0);
  }
  expect(env.truncated(state)).toBe(true);
  expect([env.steps(state), total]).toEqual([500, 500]);
});

test.each([
  ["to the right", X, 2.39, X_DOT, 1],
  ["to the left", X, -2.39, X_DOT, -1],
  ["with a pole to the right", THETA, 0.209, THETA_DOT, 1],
  ["with a pole to the left", THETA, -0.209, THETA_DOT, -1],
])("falls %s", (_where, at, value, velocity, sign) => {
  const env = makeEnvironment(cartPole);
  const state = env.newState();
  env.reset(state, SeededChance.fromSeed(1));
  state.floats.fill(0);
  state.floats[at] = value;
  const still = env.newState();
  env.step(state, 0, still, noChance);
  expect(env.ended(still)).toBe(false);
  state.floats[velocity] = sign;
  env.step(state, 0, state, noChance);
  expect(env.terminated(state)).toBe(true);
  expect(env.reward(state, 0)).toBe(1);
});

test("what is seen is float32", () => {
  const env = makeEnvironment(cartPole);
  const state = env.newState();
  env.reset(state, SeededChance.fromSeed(1));
  const out = new Float64Array(4);
  env.observe(state, 0, out);
  expect(Array.from(out)).toEqual(Array.from(Float32Array.from(state.floats.subarray(1))));
});

test("Euler's method with the new velocities in place of the old is noticed", () => {
  const wrong = withMistake<SequentialRules>(cartPole, (right) => ({
    apply(state, seat, action, chance) {
      const [, x, , theta] = state.floats;
      right.apply(state, seat, action, chance);
      state.floats[X] = x! + 0.02 * state.floats[X_DOT]!;
      state.floats[THETA] = theta! + 0.02 * state.floats[THETA_DOT]!;
    },
  }));
  expect(replayGoldens(wrong, goldens)).not.toEqual([]);
});

test("a track without an end is noticed", () => {
  const wrong = withMistake<SequentialRules>(cartPole, (right) => ({
    apply(state, seat, action, chance) {
      right.apply(state, seat, action, chance);
      if (Math.abs(state.floats[THETA]!) < 0.2) state.ints[ENDED] = RUNNING;
    },
  }));
  expect(replayGoldens(wrong, goldens)).not.toEqual([]);
});
