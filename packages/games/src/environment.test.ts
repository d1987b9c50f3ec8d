import { describe, expect, test } from "vitest";
import { noChance } from "./chance.ts";
import {
  ACTORS,
  ENDED,
  Environment,
  type EnvironmentDefinition,
  ILLEGAL,
  makeEnvironment,
  OWN,
  type Rules,
  type RulesInfo,
  type SequentialRules,
  STEPS,
  type State,
  TERMINATED,
  TRUNCATED,
} from "./environment.ts";
import { OptionError } from "./options.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

/** Rules that add what is played (1 … 9) to a sum, and end where it reaches 20. */
function sums(turn: Rules["turn"], wrong: Partial<RulesInfo> = {}): Environment {
  const info: RulesInfo = {
    seats: 2,
    ownInts: 1,
    ownFloats: 1,
    actions: 10,
    observation: { type: "Discrete", n: 40 },
    returnRange: [-2, 3],
    zeroSum: false,
    maxSteps: 5,
    chance: false,
    perfectInformation: true,
    ...wrong,
  };
  const common = {
    info,
    mask: (_state: unknown, _seat: number, mask: Uint8Array) => void mask.fill(1).set([0]),
    isLegal: (_state: unknown, _seat: number, action: number) => action >= 1 && action <= 9,
    observe: (state: { ints: Int32Array }, _seat: number, out: Float64Array) => void out.set([state.ints[OWN]!]),
    render: (state: { ints: Int32Array }) => `sum ${state.ints[OWN]}`,
  };
  const rules: Rules =
    turn === "sequential"
      ? {
          ...common,
          turn,
          init: (state) => {
            state.ints[ACTORS] = 1;
          },
          apply: ({ ints, floats }, seat, action) => {
            ints[OWN]! += action;
            floats[seat] = action / 10;
            ints[ACTORS] = 1 << ((seat + 1) % info.seats);
            if (ints[OWN]! >= 20) ints[ENDED] = TERMINATED;
          },
        }
      : {
          ...common,
          turn,
          init: () => {},
          apply: ({ ints, floats }, actions) => {
            for (let seat = 0; seat < info.seats; seat++) {
              ints[OWN]! += actions[seat]!;
              floats[seat] = actions[seat]! / 10;
            }
            if (ints[OWN]! >= 20) ints[ENDED] = TERMINATED;
          },
        };
  const definition: EnvironmentDefinition = {
    id: "sums",
    version: 1,
    title: "Sums",
    description: "Adds.",
    options: {},
    make: () => rules,
  };
  return new Environment(definition, {});
}

function begun(env: Environment): State {
  const state = env.newState();
  env.reset(state, noChance);
  return state;
}

const rewards = (env: Environment, state: State) =>
  Array.from({ length: env.info.seats }, (_, seat) => env.reward(state, seat));

describe("a sequential step", () => {
  const env = sums("sequential");

  test("leaves the state it comes from, and takes over nothing of where it goes", () => {
    const src = begun(env);
    const before = env.serialise(src);
    const dst = env.newState();
    dst.ints.fill(7);
    dst.floats.fill(7);
    env.step(src, 4, dst, noChance);
    expect(env.serialise(src)).toEqual(before);
    expect(env.serialise(dst)).toEqual({ ints: [2, 1, 0, 0, 4], floats: [0.4, 0, 0] });
  });

  test("may be taken in place", () => {
    const state = begun(env);
    const apart = env.newState();
    env.step(state, 4, apart, noChance);
    env.step(state, 4, state, noChance);
    expect(state).toEqual(apart);
  });

  test("gives the rewards of this step alone", () => {
    const state = begun(env);
    env.step(state, 4, state, noChance);
    expect(rewards(env, state)).toEqual([0.4, 0]);
    env.step(state, 5, state, noChance);
    expect(rewards(env, state)).toEqual([0, 0.5]);
  });

  test("with an illegal action ends the episode: the least return for its seat, nothing for the others", () => {
    for (const action of [0, 10, -1, 1e9, Number.NaN, Number.POSITIVE_INFINITY]) {
      const state = begun(env);
      env.step(state, 4, state, noChance);
      env.step(state, action, state, noChance);
      expect(rewards(env, state)).toEqual([0, -2]);
      expect(env.terminated(state)).toBe(true);
      expect(state.ints[ILLEGAL]).toBe(2);
      expect(env.steps(state)).toBe(2);
      expect(env.actors(state)).toBe(0);
      expect(state.ints[OWN]).toBe(4);
    }
  });

  test("with an illegal action gives the other of two seats the greatest return where the sum is zero", () => {
    const zero = sums("sequential", { zeroSum: true, returnRange: [-2, 2] });
    const state = begun(zero);
    zero.step(state, 0, state, noChance);
    expect(rewards(zero, state)).toEqual([-2, 2]);
  });

  test("that is the last allowed truncates, unless the rules have ended the episode", () => {
    const state = begun(env);
    for (let i = 0; i < 4; i++) env.step(state, 1, state, noChance);
    const ended = env.newState();
    expect(env.ended(state)).toBe(false);
    env.step(state, 1, ended, noChance);
    expect([env.truncated(ended), env.terminated(ended), ended.ints[ENDED]]).toEqual([true, false, TRUNCATED]);
    expect(env.actors(ended)).toBe(0);
    state.ints[OWN] = 19;
    env.step(state, 1, ended, noChance);
    expect([env.truncated(ended), env.terminated(ended)]).toEqual([false, true]);
    env.step(state, 0, ended, noChance);
    expect([env.truncated(ended), env.terminated(ended)]).toEqual([false, true]);
  });

  test("after the end changes nothing, and gives nothing", () => {
    for (const last of [9, 0]) {
      const state = begun(env);
      state.ints[OWN] = 15;
      env.step(state, last, state, noChance);
      const over = { ...env.serialise(state), floats: [0, 0, 0] };
      for (const action of [3, 0]) {
        const after = env.newState();
        env.step(state, action, after, noChance);
        expect(env.serialise(after)).toEqual(over);
        env.stepJoint(state, [action, action], after, noChance);
        expect(env.serialise(after)).toEqual(over);
      }
    }
  });

  test("can be asked for with everybody's actions: only those of the seat to act count", () => {
    const state = begun(env);
    env.stepJoint(state, [4, 0], state, noChance);
    env.stepJoint(state, [0, 5], state, noChance);
    expect(env.serialise(state)).toEqual({ ints: [1, 2, 0, 0, 9], floats: [0, 0.5, 0] });
  });
});

describe("a simultaneous step", () => {
  const env = sums("simultaneous");

  test("has everybody act, and takes all actions at once", () => {
    const state = begun(env);
    expect([env.actors(state), env.seatToAct(state)]).toEqual([3, -1]);
    env.stepJoint(state, [4, 5], state, noChance);
    expect(env.serialise(state)).toEqual({ ints: [3, 1, 0, 0, 9], floats: [0.4, 0.5, 0] });
  });

  test("with an illegal action marks its seat", () => {
    const state = begun(env);
    env.stepJoint(state, [4, 0], state, noChance);
    expect(rewards(env, state)).toEqual([0, -2]);
    expect([state.ints[ILLEGAL], state.ints[ENDED], state.ints[OWN]]).toEqual([2, TERMINATED, 0]);
  });

  test("with two illegal actions marks both; where the sum is zero, nobody has anything", () => {
    for (const [zeroSum, expected] of [
      [false, [-2, -2]],
      [true, [0, 0]],
    ] as const) {
      const either = sums("simultaneous", { zeroSum });
      const state = begun(either);
      either.stepJoint(state, [0, 10], state, noChance);
      expect(rewards(either, state)).toEqual(expected);
      expect(state.ints[ILLEGAL]).toBe(3);
    }
  });

  test("takes one action only where there is one seat", () => {
    expect(() => env.step(begun(env), 1, env.newState(), noChance)).toThrow(TypeError);
    const alone = sums("simultaneous", { seats: 1 });
    const state = begun(alone);
    expect(alone.seatToAct(state)).toBe(0);
    alone.step(state, 4, state, noChance);
    expect(alone.serialise(state)).toEqual({ ints: [1, 1, 0, 0, 4], floats: [0.4, 0] });
  });
});

test("masks and legality are those of seats that are to act", () => {
  const env = sums("sequential");
  const state = begun(env);
  const mask = new Uint8Array(10);
  env.mask(state, 0, mask);
  expect(Array.from(mask)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  expect([env.isLegal(state, 0, 1), env.isLegal(state, 0, 0)]).toEqual([true, false]);
  env.mask(state, 1, mask);
  expect(Array.from(mask)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(env.isLegal(state, 1, 1)).toBe(false);
});

test("a reset forgets what was there", () => {
  const env = sums("simultaneous");
  const state = begun(env);
  env.stepJoint(state, [0, 10], state, noChance);
  env.reset(state, noChance);
  expect(state).toEqual(begun(env));
});

test("a state survives JSON; one of another shape is refused", () => {
  const env = sums("sequential");
  const state = begun(env);
  env.step(state, 4, state, noChance);
  const text = JSON.stringify(env.serialise(state));
  expect(env.deserialise(JSON.parse(text))).toEqual(state);
  expect(() => env.deserialise({ ints: [1, 0, 0, 0], floats: [0, 0, 0] })).toThrow(RangeError);
  expect(() => env.deserialise({ ints: [1, 0, 0, 0, 0], floats: [0] })).toThrow(RangeError);
});

test("copies are states of their own", () => {
  const env = sums("sequential");
  const state = begun(env);
  const copy = env.newState();
  env.copy(state, copy);
  expect(copy).toEqual(state);
  env.step(copy, 4, copy, noChance);
  expect(state).toEqual(begun(env));
});

test("actions without names are called by their number", () => {
  expect(sums("sequential").actionName(7)).toBe("7");
  expect(makeEnvironment(ticTacToe).actionName(5)).toBe("c2");
});

test("options are checked when an environment is made", () => {
  expect(() => makeEnvironment(ticTacToe, { size: 4 })).toThrow(OptionError);
});

test("steps are counted before the rules are asked to act, and after they are asked what is legal", () => {
  const seen: number[] = [];
  const env = sums("sequential");
  const rules = env.definition.make({}) as SequentialRules;
  const spy = new Environment(
    {
      ...env.definition,
      make: (): SequentialRules => ({
        ...rules,
        isLegal: (state) => seen.push(state.ints[STEPS]!) > 0,
        apply: (state) => {
          seen.push(state.ints[STEPS]!);
        },
      }),
    },
    {},
  );
  const state = begun(spy);
  spy.isLegal(state, 0, 1);
  spy.step(state, 1, state, noChance);
  expect(seen).toEqual([0, 0, 1]);
});
