import { describe, expect, test } from "vitest";
import { measure, worth } from "./scoring.ts";

const TWO = {
  returns: [
    [1, -1],
    [0, 0],
    [-1, 1],
    [-1, 1],
  ],
  steps: 30,
};

describe("measured is", () => {
  test.each([
    ["reward", 0, -0.25],
    ["reward", 1, 0.25],
    ["win-rate", 0, 0.375],
    ["win-rate", 1, 0.625],
    ["steps", 1, 7.5],
  ] as const)("by %s, in seat %i: %d", (name, seat, expected) => {
    expect(measure(name, seat, TWO)).toBe(expected);
  });

  test("won alone by a return above 0, and by no other", () => {
    expect(measure("win-rate", 0, { returns: [[1], [0], [-2], [0.5]], steps: 4 })).toBe(0.5);
  });

  test("won among several by the greatest return; who shares it has drawn", () => {
    expect(
      measure("win-rate", 2, {
        returns: [
          [1, 0, 2],
          [2, 0, 2],
          [3, 0, 2],
        ],
        steps: 3,
      }),
    ).toBe(0.5);
  });
});

test.each([
  [0, 10, -1, 0],
  [0, 10, 0, 0],
  [0, 10, 2.5, 0.25],
  [0, 10, 10, 1],
  [0, 10, 99, 1],
  [200, 100, 250, 0],
  [200, 100, 150, 0.5],
  [200, 100, 50, 1],
])("zero %d and full %d make %d worth %d", (zero, full, measured, value) => {
  expect(worth({ by: "reward", zero, full }, measured)).toBe(value);
});
