import { SeededChance } from "@lanista/games/chance";
import { describe, expect, test } from "vitest";
import { parseAgentLine } from "../json-answer.ts";
import { legalAction, randomAction } from "./actions.ts";
import { type Action, type Space, spaceJson } from "./spaces.ts";

const wide: Space = { type: "Discrete", n: 3, start: -1 };
const two: Space = { type: "MultiDiscrete", shape: [2], nvec: [3, 2], start: [0, 5] };
const bits: Space = { type: "MultiBinary", shape: [2, 2] };
const single: Space = { type: "Box", shape: [2], dtype: "float32", low: [-1, 0], high: [1, 0.1] };
const open: Space = {
  type: "Box",
  shape: [3],
  dtype: "float64",
  low: [2, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  high: [Number.POSITIVE_INFINITY, -4, Number.POSITIVE_INFINITY],
};
const whole: Space = { type: "Box", shape: [1], dtype: "uint8", low: 3, high: 5 };
const word: Space = { type: "Text", min_length: 1, max_length: 3, charset: "ab😀" };
const any: Space = { type: "Text", max_length: 3 };
const pair: Space = { type: "Tuple", spaces: [wide, single] };
const named: Space = {
  type: "Dict",
  spaces: [
    ["z", word],
    ["__proto__", pair],
    ["2", bits],
  ],
};

describe("an action", () => {
  test.each<[string, Space, Action, Uint8Array | undefined, Action | null]>([
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
    ["a text", word, "a😀b", undefined, "a😀b"],
    ["a text too short", word, "", undefined, null],
    ["a text too long", word, "aaaa", undefined, null],
    ["of a character that there is not", word, "ac", undefined, null],
    ["any text", any, "\u0000é\n", undefined, "\u0000é\n"],
    ["half a character", any, "a\ud83d", undefined, null],
    ["a number for a text", any, 1, undefined, null],
    ["of a list for a text", any, ["a"], undefined, null],
    ["a text for a number", wide, "1", undefined, null],
    ["a text among numbers", two, ["0", 6], undefined, null],
    ["of parts, each as its space has it", pair, [-1, [0.3, 0]], undefined, [-1, [Math.fround(0.3), 0]]],
    ["with a part that is not legal", pair, [-1, [0, 0.2]], undefined, null],
    ["with a part too few", pair, [-1], undefined, null],
    ["with a part that is not a number", pair, [-1, [Number.NaN, 0]], undefined, null],
    ["a text for its parts", pair, "ab", undefined, null],
    ["of parts with names", named, ["b", [1, [0, 0]], [0, 1, 1, 0]], undefined, ["b", [1, [0, 0]], [0, 1, 1, 0]]],
    ["of parts of which one's part is not legal", named, ["b", [2, [0, 0]], [0, 1, 1, 0]], undefined, null],
  ])("%s", (_, space, action, mask, expected) => {
    expect(legalAction(space, action, mask)).toEqual(expected);
  });

  test.each([wide, two, bits, single, open, whole, word, any, pair, named])(
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
    expect(parseAgentLine(Buffer.from(line), single)).toMatchObject(expected);
    expect(parseAgentLine(Buffer.from(line), wide).kind).toBe(line.includes("[") ? "refused" : "action");
  });

  const deep = `${"[".repeat(13)}${"]".repeat(13)}`;
  test.each<[Space, string, Action | RegExp]>([
    [word, '"ab"', "ab"],
    [word, `"${"a".repeat(8193)}"`, /not a text/],
    [word, "1", /not a text/],
    [pair, "[-0,[1,2]]", [0, [1, 2]]],
    [pair, "[0,[1,2],3]", /not a list of 2 parts/],
    [pair, '{"0":0,"1":[1,2]}', /not a list of 2 parts/],
    [pair, '[0,[1,"NaN"]]', /in its part 1 is not a list of numbers/],
    [pair, "[0,[1,1e999]]", /in its part 1 is not a list of numbers/],
    [pair, "[1e17,[1,2]]", /in its part 0 is beyond/],
    [pair, deep, /nested deeper/],
    [named, '{"2":[1],"z":"b","__proto__":[1,[0]]}', ["b", [1, [0]], [1]]],
    [named, '{"2":[1],"z":"b"}', /not an object of exactly "z","__proto__","2"/],
    [named, '{"2":[1],"z":"b","__proto__":[1,[0]],"y":1}', /not an object of exactly/],
    [named, '["b",[1,[0]],[1]]', /not an object of exactly/],
    [named, "null", /not an object of exactly/],
    [named, '{"2":[1],"z":"b","__proto__":[1,[true]]}', /in its part "__proto__" in its part 1 is not/],
  ])("gets the form of its space $type: %s", (space, action, expected) => {
    const read = parseAgentLine(Buffer.from(`{"id":1,"action":${action}}`), space);
    if (expected instanceof RegExp) expect(read).toMatchObject({ why: expect.stringMatching(expected) });
    else expect(read).toEqual({ kind: "action", id: 1, action: expected });
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
