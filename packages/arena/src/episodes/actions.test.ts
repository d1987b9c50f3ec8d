import { SeededChance } from "@lanista/games/chance";
import { describe, expect, test } from "vitest";
import { parseAgentLine } from "../json-answer.ts";
import { legalAction, randomAction } from "./actions.ts";
import { type ActionSpace, spaceJson } from "./spaces.ts";

const wide: ActionSpace = { type: "Discrete", n: 3, start: -1 };
const two: ActionSpace = { type: "MultiDiscrete", shape: [2], nvec: [3, 2], start: [0, 5] };
const bits: ActionSpace = { type: "MultiBinary", shape: [2, 2] };
const single: ActionSpace = { type: "Box", shape: [2], dtype: "float32", low: [-1, 0], high: [1, 0.1] };
const open: ActionSpace = {
  type: "Box",
  shape: [3],
  dtype: "float64",
  low: [2, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  high: [Number.POSITIVE_INFINITY, -4, Number.POSITIVE_INFINITY],
};
const whole: ActionSpace = { type: "Box", shape: [1], dtype: "uint8", low: 3, high: 5 };

describe("an action", () => {
  test.each<[string, ActionSpace, number | number[], Uint8Array | undefined, number | number[] | null]>([
    ["the least", wide, -1, undefined, -1],
    ["beyond the greatest", wide, 2, undefined, null],
    ["no integer", wide, 0.5, undefined, null],
    ["a list for a number", wide, [0], undefined, null],
    ["masked out", wide, 0, Uint8Array.of(1, 0, 1), null],
    ["let through by a mask", wide, 1, Uint8Array.of(1, 0, 1), 1],
    ["of two parts", two, [2, 6], undefined, [2, 6]],
    ["of a part out of range", two, [2, 7], undefined, null],
    ["of a part that is no integer", two, [0.5, 5], undefined, null],
    ["a number for a list", two, 2, undefined, null],
    ["too short", two, [2], undefined, null],
    ["of bits", bits, [0, 1, 1, 0], undefined, [0, 1, 1, 0]],
    ["of a bit that is none", bits, [0, 2, 1, 0], undefined, null],
    ["rounded to float32", single, [0.3, 0], undefined, [Math.fround(0.3), 0]],
    ["beyond a bound of its own", single, [0, 0.2], undefined, null],
    ["beyond a bound once it is rounded", single, [0, 0.1], undefined, null],
    ["not a number", open, [3, -5, Number.NaN], undefined, null],
    ["infinite", open, [Number.POSITIVE_INFINITY, -5, 0], undefined, null],
    ["without bounds", open, [3, -5, 1e300], undefined, [3, -5, 1e300]],
    ["no integer where the type is", whole, [3.5], undefined, null],
  ])("%s", (_, space, action, mask, expected) => {
    expect(legalAction(space, action, mask)).toEqual(expected);
  });

  test.each([wide, two, bits, single, open, whole])(
    "by chance is legal, and follows from the stream: $type",
    (space) => {
      const drawn = (seed: number): unknown => {
        const chance = SeededChance.fromSeed(seed);
        return Array.from({ length: 50 }, () => {
          const action = randomAction(space, chance);
          expect(legalAction(space, action)).toEqual(action);
          return action;
        });
      };
      expect(drawn(1)).toEqual(drawn(1));
      if (space !== open) expect(drawn(1)).not.toEqual(drawn(2));
    },
  );

  test.each([
    ['{"id":1,"action":[0.5,-0]}', { kind: "action", id: 1, action: [0.5, 0] }],
    ['{"id":1,"action":3}', { kind: "refused" }],
    ['{"id":1,"action":[[1]]}', { kind: "refused" }],
    ['{"id":1,"action":["NaN"]}', { kind: "refused" }],
    ['{"id":1,"action":[1e999]}', { kind: "refused" }],
    [`{"id":1,"action":[${Array.from({ length: 257 }, () => 0)}]}`, { kind: "refused" }],
  ])("that is a list is read where lists are asked for: %.30s", (line, expected) => {
    expect(parseAgentLine(Buffer.from(line), true)).toMatchObject(expected);
    expect(parseAgentLine(Buffer.from(line)).kind).toBe(line.includes("[") ? "refused" : "action");
  });
});

test("spaces are told in JSON, infinities as strings, keys whatever they are called", () => {
  const dict = { type: "Dict", spaces: [["__proto__", open]] } as const;
  expect(JSON.parse(JSON.stringify(spaceJson({ type: "Tuple", spaces: [dict, wide] })))).toEqual({
    type: "Tuple",
    spaces: [
      {
        type: "Dict",
        spaces: Object.fromEntries([
          ["__proto__", { ...open, low: [2, "-Infinity", "-Infinity"], high: ["Infinity", -4, "Infinity"] }],
        ]),
      },
      wide,
    ],
  });
});
