import { describe, expect, test } from "vitest";
import { readDescription } from "./description.ts";

const digit = { type: "Discrete", n: 3 };
const numbers = (count: number) => ({ type: "Box", shape: [count], dtype: "float32", low: 0, high: 1 });
const read = (action: unknown, { seats = 1, together = false, masked = false } = {}) =>
  readDescription(
    {
      seats: Array.from({ length: seats }, (_, seat) => `seat ${seat}`),
      views: Array.from({ length: seats }, () => ({ action, observation: digit, masked })),
    },
    together,
  );
const within = (depth: number): unknown => (depth === 0 ? digit : { type: "Tuple", spaces: [within(depth - 1)] });
const dict = (...spaces: [string, unknown][]) => ({ type: "Dict", spaces });
const text = (length: number, charset?: string) => ({
  type: "Text",
  max_length: length,
  ...(charset ? { charset } : {}),
});

describe("an action space", () => {
  test.each<[string, unknown]>([
    ["of parts within parts", within(8)],
    ["of 256 numbers in all", dict(["a", numbers(200)], ["b", numbers(56)])],
    ["of texts of 4096 characters in all", dict(["a", text(4000)], ["b", text(96)])],
  ])("%s is taken", (_, action) => {
    expect(read(action).views[0]!.action).toEqual(action);
  });

  test.each<[string, unknown, RegExp]>([
    ["of too many parts within parts", within(9), /more than 8 deep/],
    ["of too many numbers in all", dict(["a", numbers(200)], ["b", numbers(57)]), /an action of 257 numbers/],
    ["of too long texts in all", dict(["a", text(4000)], ["b", text(97)]), /texts of 4097 characters/],
    ["with the same name twice", dict(["a", digit], ["a", digit]), /the same name/],
    ["without parts", { type: "Tuple", spaces: [] }, /of no parts/],
    ["with a part of no numbers", dict(["a", numbers(0)]), /of no numbers/],
    ["with a text that cannot be written", { type: "Text", max_length: 2, min_length: 1, charset: "" }, /no sense/],
    ["with half a character", text(2, "\ud83d"), /no sense/],
    ["that says more than it may", { ...digit, more: 1 }, /no sense/],
    ["that there is not", { type: "Graph" }, /no sense/],
  ])("%s is refused", (_, action, why) => {
    expect(() => read(action)).toThrow(why);
  });

  test("a mask goes with numbers alone", () => {
    expect(() => read(within(1), { masked: true })).toThrow(/Discrete action space alone/);
  });

  test("what all seats do at once has its place in a replay's line", () => {
    expect(read(text(2000), { seats: 31 }).seats).toHaveLength(31);
    expect(() => read(text(2000), { seats: 5, together: true })).toThrow(/60015 characters/);
    expect(read(text(2000, "ab"), { seats: 5, together: true }).seats).toHaveLength(5);
  });
});
