import { describe, expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { withMistake } from "../testing/mistakes.ts";
import { type Chance, ScriptedChance, SeededChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { type Environment, makeEnvironment, OWN, type SimultaneousRules, type State } from "./environment.ts";
import { pong } from "./pong.ts";

const UP = 0;
const STAY = 1;
const DOWN = 2;
/** Where the rules keep things in `floats`. */
const [X, Y, VX, VY, PADDLE_0, PADDLE_1] = [2, 3, 4, 5, 6, 7];
const goldens = readGoldens("pong");

interface Scene {
  readonly [at: number]: number;
}

/** A state of the default environment with some floats set, one step on. */
function after(scene: Scene, actions: readonly [number, number] = [STAY, STAY], chance: readonly number[] = []): State {
  const env = makeEnvironment(pong);
  const state = env.newState();
  env.reset(state, new ScriptedChance([0, 1]));
  for (const [at, value] of Object.entries(scene)) state.floats[Number(at)] = value;
  env.stepJoint(state, actions, state, new ScriptedChance(chance));
  return state;
}

function view(env: Environment, state: State, seat: number): number[] {
  const out = new Float64Array(8);
  env.observe(state, seat, out);
  return Array.from(out);
}

function randomActions(chance: Chance): [number, number] {
  return [chance.below(3), chance.below(3)];
}

test("passes the conformance kit", () => {
  expect(checkEnvironment(pong, undefined, { episodes: 5 })).toEqual([]);
});

test("plays as the second implementation does", () => {
  expect(goldens.length).toBeGreaterThan(0);
  expect(replayGoldens(pong, goldens)).toEqual([]);
});

test("has RL Arena's numbers as defaults", () => {
  expect(makeEnvironment(pong).options).toEqual({
    width: 1,
    height: 1,
    paddle_height: 0.2,
    paddle_speed: 0.05,
    ball_speed: 0.02,
    ball_radius: 0.02,
    points_to_win: 11,
    max_steps: 1000,
    mirrored: false,
  });
});

describe("a step", () => {
  test("moves paddles up and down, and keeps them in the field", () => {
    const moved = after({}, [UP, DOWN]);
    expect(moved.floats[PADDLE_0]).toBeCloseTo(0.45, 12);
    expect(moved.floats[PADDLE_1]).toBeCloseTo(0.55, 12);
    const clamped = after({ [PADDLE_0]: 0.02, [PADDLE_1]: 0.98 }, [UP, DOWN]);
    expect(clamped.floats[PADDLE_0]).toBe(0);
    expect(clamped.floats[PADDLE_1]).toBe(1);
  });

  test("turns the ball at the upper and the lower wall", () => {
    const upper = after({ [Y]: 0.005, [VX]: 0, [VY]: -0.01 });
    expect([upper.floats[Y], upper.floats[VY]]).toEqual([0, 0.01]);
    const lower = after({ [Y]: 0.995, [VX]: 0, [VY]: 0.01 });
    expect([lower.floats[Y], lower.floats[VY]]).toEqual([1, -0.01]);
  });

  test("turns the ball at a paddle and spins it", () => {
    const left = after({ [X]: 0.08, [Y]: 0.59, [VX]: -0.02, [VY]: 0 }, [STAY, STAY], [0.004]);
    expect([left.floats[VX], left.floats[VY]]).toEqual([0.02, 0.004]);
    const right = after({ [X]: 0.92, [Y]: 0.41, [VX]: 0.02, [VY]: 0 }, [STAY, STAY], [-0.004]);
    expect([right.floats[VX], right.floats[VY]]).toEqual([-0.02, -0.004]);
  });

  test("lets the ball pass beside a paddle, and takes the paddle where it has moved to", () => {
    const scene = { [X]: 0.08, [Y]: 0.61, [VX]: -0.02, [VY]: 0 };
    expect(after(scene).floats[VX]).toBe(-0.02);
    expect(after(scene, [DOWN, STAY], [0]).floats[VX]).toBe(0.02);
  });

  test("gives the point to the other side, and serves from the middle", () => {
    const state = after({ [X]: 0.01, [Y]: 0.1, [VX]: -0.02, [VY]: 0, [PADDLE_0]: 0.9 }, [STAY, STAY], [Math.PI / 4, 0]);
    expect([state.ints[OWN], state.ints[OWN + 1]]).toEqual([0, 1]);
    expect([state.floats[0], state.floats[1]]).toEqual([-1, 1]);
    expect([state.floats[X], state.floats[Y], state.floats[PADDLE_0]]).toEqual([0.5, 0.5, 0.9]);
    expect(state.floats[VX]).toBeCloseTo(-0.02 * Math.SQRT1_2, 15);
    expect(state.floats[VY]).toBeCloseTo(0.02 * Math.SQRT1_2, 15);
  });
});

describe("the view", () => {
  test("is the same for both seats, and float32", () => {
    const env = makeEnvironment(pong);
    const state = env.newState();
    const chance = SeededChance.fromSeed(1);
    env.reset(state, chance);
    for (let step = 0; step < 300; step++) {
      env.stepJoint(state, randomActions(chance), state, chance);
      const seen = view(env, state, 0);
      expect(view(env, state, 1)).toEqual(seen);
      expect(Array.from(Float32Array.from(seen))).toEqual(seen);
    }
  });

  test("of seat 1, if mirrored, is seat 0's in the mirrored episode", () => {
    const env = makeEnvironment(pong, { mirrored: true, points_to_win: 2 });
    const state = env.newState();
    const twin = env.newState();
    // The same angles and spins, but each side by a coin turned over.
    const stream = (flip: number): Chance => {
      const chance = SeededChance.fromSeed(2);
      return { uniform: (low, high) => chance.uniform(low, high), below: (n) => (chance.below(n) + flip) % n };
    };
    const [chance, mirror] = [stream(0), stream(1)];
    const players = SeededChance.fromSeed(3);
    env.reset(state, chance);
    env.reset(twin, mirror);
    while (!env.ended(state)) {
      const [first, second] = randomActions(players);
      env.stepJoint(state, [first, second], state, chance);
      env.stepJoint(twin, [second, first], twin, mirror);
      const seen = view(env, state, 1);
      for (const [i, value] of view(env, twin, 0).entries()) expect(value).toBeCloseTo(seen[i]!, 6);
    }
    expect(env.reward(state, 0)).toBe(env.reward(twin, 1));
  });
});

describe("goldens notice", () => {
  test("a wall that does not turn the ball", () => {
    const wrong = withMistake<SimultaneousRules>(pong, (right) => ({
      apply(state, actions, chance) {
        right.apply(state, actions, chance);
        if (state.floats[Y] === 0 || state.floats[Y] === 1) state.floats[VY] = 0 - state.floats[VY]!;
      },
    }));
    expect(replayGoldens(wrong, goldens)).not.toEqual([]);
  });

  test("a paddle that is moved after the ball", () => {
    const wrong = withMistake<SimultaneousRules>(pong, (right) => ({
      apply(state, actions, chance) {
        right.apply(state, [STAY, STAY], chance);
        for (const seat of [0, 1]) {
          const at = state.floats[PADDLE_0 + seat]! + 0.05 * (actions[seat]! - 1);
          state.floats[PADDLE_0 + seat] = Math.max(0, Math.min(1, at));
        }
      },
    }));
    // Elsewhere paddles are faster, or the field lower.
    const usual = goldens.filter(({ options }) => !("paddle_speed" in options || "height" in options));
    expect(replayGoldens(wrong, usual)).not.toEqual([]);
  });

  test("a mirrored view that leaves the paddles unswapped", () => {
    const wrong = withMistake<SimultaneousRules>(pong, (right) => ({
      observe(state, seat, out) {
        right.observe(state, seat, out);
        out[4] = Math.fround(state.floats[PADDLE_0]!);
        out[5] = Math.fround(state.floats[PADDLE_1]!);
      },
    }));
    expect(replayGoldens(wrong, goldens)).not.toEqual([]);
  });
});

test("the conformance kit notices a paddle that leaves the field", () => {
  const wrong = withMistake<SimultaneousRules>(pong, (right) => ({
    apply(state, actions, chance) {
      const before = state.floats[PADDLE_1]!;
      right.apply(state, actions, chance);
      state.floats[PADDLE_1] = before + 0.05 * (actions[1]! - 1);
    },
  }));
  const findings = checkEnvironment(wrong, {}, { episodes: 5 });
  expect(findings.map((finding) => finding.check)).toEqual(["space"]);
});
