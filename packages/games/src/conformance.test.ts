import { describe, expect, test } from "vitest";
import { withMistake } from "../testing/mistakes.ts";
import type { Chance } from "./chance.ts";
import { Report } from "./conformance/report.ts";
import { CHECKS, type CheckName, checkEnvironment, checkMade } from "./conformance.ts";
import {
  ACTORS,
  ENDED,
  Environment,
  type EnvironmentDefinition,
  OWN,
  type RulesInfo,
  type SequentialRules,
  STEPS,
  type State,
  TERMINATED,
} from "./environment.ts";

/** A race: each seat adds one or two to a total, and then a coin may add one more; whoever reaches five wins. */
const info: RulesInfo = {
  seats: 2,
  ownInts: 1,
  ownFloats: 1,
  actions: 3,
  observation: { type: "Box", shape: [2], dtype: "float64", low: 0, high: 7 },
  returnRange: [-1, 1],
  zeroSum: true,
  maxSteps: 5,
  chance: true,
  perfectInformation: true,
};

function race(): SequentialRules {
  return {
    turn: "sequential",
    info,
    init: (state) => {
      state.ints[ACTORS] = 1;
    },
    // Nobody may add two to three or more.
    isLegal: ({ ints }, _seat, action) => action === 0 || (action === 1 && ints[OWN]! < 3),
    mask: ({ ints }, _seat, mask) => {
      mask.set([1, ints[OWN]! < 3 ? 1 : 0, 0]);
    },
    apply: ({ ints, floats }, seat, action, chance) => {
      ints[OWN] = ints[OWN]! + 1 + action + chance.below(2);
      floats[2] = ints[OWN]! / 2;
      if (ints[OWN]! >= 5) {
        ints[ENDED] = TERMINATED;
        floats[seat] = 1;
        floats[1 - seat] = -1;
      } else ints[ACTORS] = 2 - seat;
    },
    observe: ({ ints, floats }, _seat, out) => {
      out[0] = ints[OWN]!;
      out[1] = floats[2]!;
    },
    render: ({ ints }) => `total ${ints[OWN]}`,
  };
}

const right: EnvironmentDefinition = {
  id: "race",
  version: 1,
  title: "Race",
  description: "Whoever reaches five wins.",
  options: { fast: { type: "boolean", default: false, description: "Changes nothing" } },
  make: race,
};

const mistaken = (mistake: (rules: SequentialRules) => Partial<Omit<SequentialRules, "turn">>) =>
  withMistake<SequentialRules>(right, mistake);
const misdeclared = (wrong: Partial<RulesInfo>) => mistaken(() => ({ info: { ...info, ...wrong } }));
/** Does what the rules do, and then something wrong. */
const after = (wrong: (state: State, seat: number, chance: Chance) => void) =>
  mistaken((rules) => ({
    apply(state, seat, action, chance) {
      rules.apply(state, seat, action, chance);
      wrong(state, seat, chance);
    },
  }));

const broken: { [check in CheckName]: { [mistake: string]: EnvironmentDefinition | (() => Environment) } } = {
  definition: {
    nothing: undefined as unknown as EnvironmentDefinition,
    "nothing but an id": { id: "race" } as EnvironmentDefinition,
    "no rules": { ...right, make: () => ({}) as SequentialRules },
    "an id in capitals": { ...right, id: "Race" },
    "a version of 0": { ...right, version: 0 },
    "no title": { ...right, title: " " },
    "a default out of its range": {
      ...right,
      options: { n: { type: "integer", minimum: 1, maximum: 2, default: 3, description: "" } },
    },
    "rules that cannot be made": {
      ...right,
      make: ({ fast }) => {
        if (fast) throw new Error("too fast");
        return race();
      },
    },
  },
  info: {
    "turns of no known kind": {
      ...right,
      make: () => ({ ...race(), turn: "random" }) as unknown as SequentialRules,
    },
    "no observation space": misdeclared({ observation: undefined as unknown as RulesInfo["observation"] }),
    "no seats": misdeclared({ seats: 0 }),
    "half an action": misdeclared({ actions: 2.5 }),
    "a return range upside down": misdeclared({ returnRange: [1, -1] }),
    "too few bounds": misdeclared({ observation: { type: "Box", shape: [2], dtype: "float64", low: [0], high: 7 } }),
    "an empty range": misdeclared({ observation: { type: "Box", shape: [2], dtype: "float64", low: 8, high: 7 } }),
    "no steps": misdeclared({ maxSteps: 0 }),
  },
  throws: {
    "a method that is missing": mistaken(() => ({ mask: undefined as unknown as SequentialRules["mask"] })),
    "a throw in a legal step": after((state) => {
      if (state.ints[OWN] === 3) throw new Error("three");
    }),
    "a throw in observe": mistaken(() => ({
      observe() {
        throw new Error("blind");
      },
    })),
  },
  state: {
    "nobody to act": after((state) => {
      state.ints[ACTORS] = 0;
    }),
    "both to act": after((state) => {
      state.ints[ACTORS] = 3;
    }),
    "a third seat of two": after((state) => {
      state.ints[ACTORS] = 4;
    }),
    "a step counted twice": after((state) => {
      state.ints[STEPS]!++;
    }),
    "an unknown end": after((state) => {
      if (state.ints[ENDED] === TERMINATED) state.ints[ENDED] = 3;
    }),
    "an end before the first step": mistaken(() => ({
      init(state) {
        state.ints[ENDED] = TERMINATED;
      },
    })),
    "a reward before the first step": mistaken((rules) => ({
      init(state, chance) {
        rules.init(state, chance);
        state.floats.set([1, -1]);
      },
    })),
  },
  determinism: {
    "a source of chance of its own": after((state) => {
      state.floats[2] = Math.random();
    }),
    "a reset with chance of its own": mistaken((rules) => ({
      init(state, chance) {
        rules.init(state, chance);
        state.floats[2] = Math.random();
      },
    })),
  },
  purity: {
    "an observe that counts": mistaken((rules) => ({
      observe(state, seat, out) {
        rules.observe(state, seat, out);
        state.floats[2]! += 0.125;
      },
    })),
    "a mask that changes the state": mistaken((rules) => ({
      mask(state, seat, mask) {
        rules.mask(state, seat, mask);
        state.ints[OWN]!++;
      },
    })),
    "a state that is kept and written to": mistaken((rules) => {
      let kept: State | undefined;
      return {
        init(state, chance) {
          rules.init(state, chance);
          kept = state;
        },
        apply(state, seat, action, chance) {
          rules.apply(state, seat, action, chance);
          if (kept) kept.floats[2] = 1;
        },
      };
    }),
    "rules that remember who began": mistaken((rules) => {
      let episodes = 0;
      return {
        init(state, chance) {
          episodes++;
          rules.init(state, chance);
        },
        apply(state, seat, action, chance) {
          rules.apply(state, seat, action, chance);
          state.floats[2] = episodes;
        },
      };
    }),
    "a copy that forgets": () =>
      new (class extends Environment {
        override copy(src: State, dst: State) {
          dst.ints.set(src.ints.subarray(0, OWN));
          dst.floats.set(src.floats);
        }
      })(right, {}),
  },
  mask: {
    "a legal action left out": mistaken((rules) => ({
      mask(state, seat, mask) {
        rules.mask(state, seat, mask);
        mask[1] = 0;
      },
    })),
    "an illegal action let in": mistaken((rules) => ({
      isLegal: (state, seat, action) => action === 2 || rules.isLegal(state, seat, action),
    })),
    "an element not written": mistaken((rules) => ({
      mask(state, seat, mask) {
        const last = mask[2]!;
        rules.mask(state, seat, mask);
        mask[2] = last;
      },
    })),
    "no legal action": mistaken(() => ({ isLegal: () => false, mask: (_state, _seat, mask) => void mask.fill(0) })),
  },
  "illegal-action": {
    "anything legal": mistaken((rules) => ({
      isLegal: (state, seat, action) => !(action >= 0) || rules.isLegal(state, seat, action),
    })),
    "no reward for it": () =>
      new (class extends Environment {
        override step(...args: Parameters<Environment["step"]>) {
          super.step(...args);
          args[2].floats.fill(0, 0, 2);
        }
      })(right, {}),
  },
  space: {
    "an observation out of its bounds": misdeclared({
      observation: { type: "Box", shape: [2], dtype: "float64", low: 0, high: 4 },
    }),
    "halves in a space of integers": misdeclared({
      observation: { type: "Box", shape: [2], dtype: "int8", low: 0, high: 7 },
    }),
    "an element not written": mistaken((rules) => ({
      observe(state, seat, out) {
        const last = out[1]!;
        rules.observe(state, seat, out);
        out[1] = last;
      },
    })),
  },
  end: {
    "no end": mistaken(() => ({
      info: { ...info, maxSteps: Number.POSITIVE_INFINITY },
      apply(state, seat) {
        state.ints[ACTORS] = 2 - seat;
      },
    })),
  },
  "after-end": {
    "play that goes on": () =>
      new (class extends Environment {
        override step(...args: Parameters<Environment["step"]>) {
          const over = this.ended(args[0]);
          super.step(...args);
          if (over) args[2].ints[STEPS]!++;
        }
      })(right, {}),
    "actions that stay legal": () =>
      new (class extends Environment {
        override mask(state: State, seat: number, mask: Uint8Array) {
          if (this.ended(state)) mask.fill(1);
          else super.mask(state, seat, mask);
        }
      })(right, {}),
  },
  serialise: {
    "an infinity in the state": after((state) => {
      state.floats[2] = Number.POSITIVE_INFINITY;
    }),
    "a negative zero in the state": after((state) => {
      state.floats[2] = -0;
    }),
  },
  rendering: {
    "no text": mistaken(() => ({ render: () => "" })),
    "a last newline": mistaken(() => ({ render: () => "total\n" })),
    colour: mistaken(() => ({ render: () => "\u001b[1mtotal\u001b[0m" })),
    "another text each time": mistaken(() => ({ render: () => `total ${Math.random()}` })),
    "two actions of one name": mistaken(() => ({ actionName: () => "add" })),
    "an action without a name": mistaken(() => ({ actionName: (action) => " ".repeat(action) })),
  },
  chance: {
    "chance that is not declared": misdeclared({ chance: false }),
    "no chance where it is declared": mistaken((rules) => ({
      apply: (state, seat, action) => rules.apply(state, seat, action, { below: () => 0, uniform: () => 0 }),
    })),
    "a die with half a side": after((_state, _seat, chance) => void chance.below(0.5)),
    "bounds the wrong way round": after((_state, _seat, chance) => void chance.uniform(1, 0)),
  },
  "zero-sum": {
    "a consolation prize": after((state, seat) => {
      if (state.ints[ENDED] === TERMINATED) state.floats[1 - seat] = 0;
    }),
  },
  "return-range": {
    "double stakes": after((state) => {
      state.floats[0]! *= 2;
      state.floats[1]! *= 2;
    }),
    "stakes that are not numbers": after((state) => {
      state.floats.fill(Number.NaN, 0, 2);
    }),
  },
};

/** The names of what the kit finds. */
function findings(what: EnvironmentDefinition | (() => Environment)): CheckName[] {
  if (typeof what !== "function") return checkEnvironment(what).map((finding) => finding.check);
  const report = new Report();
  checkMade(what, report, { episodes: 20, seed: 0, steps: 1000 });
  return report.findings.map((finding) => finding.check);
}

test("finds nothing in a right environment", () => {
  expect(checkEnvironment(right)).toEqual([]);
  expect(findings(() => new Environment(right, {}))).toEqual([]);
});

for (const check of Object.keys(CHECKS) as CheckName[])
  describe(check, () => {
    test.each(Object.keys(broken[check]))("%s is found", (mistake) => {
      expect(findings(broken[check][mistake]!)).toContain(check);
    });
  });

test("says where a finding was made", () => {
  const [finding] = checkEnvironment(broken["return-range"]["double stakes"] as EnvironmentDefinition, { fast: true });
  expect(finding).toEqual({
    check: "return-range",
    detail: expect.stringMatching(/^seat [01] has -?2, not in -1 … 1$/),
    where: expect.stringMatching(/^options {"fast":true}, seed 0, step [1-5]$/),
  });
});

test("throws on options that the definition does not take: they are the caller's mistake", () => {
  expect(() => checkEnvironment(right, { slow: true })).toThrow('unknown option "slow"');
});
