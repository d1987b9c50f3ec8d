/**
 * Rules allocate nothing: a search copies and steps states by the million. What is measured is how much the heap grows in some
 * thousand steps. Until V8 has compiled the rules they allocate (iterators, boxed numbers), so that it is the leanest of many
 * rounds that counts; an array or an object for each step is 40 bytes or more in every one of them.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { withMistake } from "../testing/mistakes.ts";
import { SeededChance } from "./chance.ts";
import { type Environment, makeEnvironment, type SequentialRules } from "./environment.ts";
import { environments } from "./registry.ts";
import { taxi } from "./taxi.ts";

/** So few that no collection comes in between. */
const STEPS = 10_000;
/** Enough for a busy machine, whose compiler gets little time. */
const ROUNDS = 100;
/** Bytes for a step. */
const LITTLE = 24;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Plays on and on, with masks and observations; the function returned makes STEPS steps. */
function player(env: Environment): () => void {
  const { seats, actions } = env.info;
  const chance = SeededChance.fromSeed(1);
  const state = env.newState();
  const mask = new Uint8Array(actions);
  const seen = new Float64Array(env.observationSize());
  const joint = new Int32Array(seats);
  let choice = 1;
  env.reset(state, chance);
  return () => {
    for (let i = 0; i < STEPS; i++) {
      if (env.ended(state)) env.reset(state, chance);
      for (let seat = 0; seat < seats; seat++) {
        if ((env.actors(state) & (1 << seat)) === 0) continue;
        env.observe(state, seat, seen);
        env.mask(state, seat, mask);
        // Small numbers, which V8 does not box.
        choice = (choice * 75 + 74) % 65537;
        let action = choice % actions;
        while (!env.isLegal(state, seat, action)) action = action + 1 === actions ? 0 : action + 1;
        joint[seat] = action;
      }
      env.stepJoint(state, joint, state, chance);
    }
  };
}

/** The least that a step took in a round; the first round that took little is the last. */
function leanest(env: Environment, rounds = ROUNDS): number {
  const some = player(env);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds && least > LITTLE; round++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    some();
    least = Math.min(least, Math.abs(process.memoryUsage().heapUsed - before) / STEPS);
  }
  return least;
}

/** V8 boxes a double that one function hands to another, unless it makes one of the two: with these, nothing can be said. */
const BOXED = ["pong", "cart-pole"];

test.each([...environments].filter(([id]) => !BOXED.includes(id)))("%s allocates nothing", (_id, definition) => {
  const env = makeEnvironment(definition);
  expect(env.info.ownFloats).toBe(0);
  expect(leanest(env)).toBeLessThan(LITTLE);
});

test("a step that makes an array is noticed", () => {
  let kept: unknown;
  const wrong = withMistake<SequentialRules>(taxi, (right) => ({
    apply(state, seat, action, chance) {
      kept = [seat, action];
      right.apply(state, seat, action, chance);
    },
  }));
  expect(leanest(makeEnvironment(wrong), 20)).toBeGreaterThan(LITTLE);
  expect(kept).toHaveLength(2);
});
