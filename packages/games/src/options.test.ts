import { expect, test } from "vitest";
import { normaliseOptions, OptionError, parseOption } from "./options.ts";

const schema = {
  size: { type: "integer", minimum: 2, maximum: 19, default: 11, description: "" },
  speed: { type: "number", minimum: 0, maximum: 1, default: 0.5, description: "" },
  swap: { type: "boolean", default: false, description: "" },
  map: { type: "string", enum: ["4x4", "8x8"], default: "4x4", description: "" },
} as const;

test("fills in defaults and keeps what is given", () => {
  expect(normaliseOptions(schema)).toEqual({ size: 11, speed: 0.5, swap: false, map: "4x4" });
  const given = { size: 2, speed: 1, swap: true, map: "8x8" };
  expect(normaliseOptions(schema, given)).toEqual(given);
});

test.each([
  [{ size: 1 }, 'option "size" must be an integer in 2 … 19, not 1'],
  [{ size: 2.5 }, 'option "size" must be an integer in 2 … 19, not 2.5'],
  [{ size: "5" }, 'option "size" must be an integer in 2 … 19, not "5"'],
  [{ speed: Number.NaN }, 'option "speed" must be a number in 0 … 1'],
  [{ speed: 1.1 }, 'option "speed" must be a number in 0 … 1, not 1.1'],
  [{ swap: 1 }, 'option "swap" must be true or false, not 1'],
  [{ map: "5x5" }, 'option "map" must be one of 4x4, 8x8, not "5x5"'],
  [{ map: undefined }, 'option "map" must be one of 4x4, 8x8'],
  [{ sise: 5 }, 'unknown option "sise"; known: size, speed, swap, map'],
  [JSON.parse('{"__proto__": 5}'), 'unknown option "__proto__"'],
  [{ toString: 5 }, 'unknown option "toString"'],
])("refuses %j", (given, message) => {
  expect(() => normaliseOptions(schema, given)).toThrow(OptionError);
  expect(() => normaliseOptions(schema, given)).toThrow(message);
});

test("says so where there are no options", () => {
  expect(() => normaliseOptions({}, { size: 5 })).toThrow("this environment has no options");
});

test.each([
  ["size=5", ["size", 5]],
  ["speed=0.25", ["speed", 0.25]],
  ["swap=true", ["swap", true]],
  ["swap=false", ["swap", false]],
  ["map=8x8", ["map", "8x8"]],
])("reads %s", (text, option) => {
  expect(parseOption(schema, text)).toEqual(option);
});

test.each(["size", "=5", "size=", "size= ", "size=five", "size=1", "swap=yes", "map=", "sise=5", "__proto__=5"])(
  "refuses to read %s",
  (text) => {
    expect(() => parseOption(schema, text)).toThrow(OptionError);
  },
);
