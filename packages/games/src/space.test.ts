import { expect, test } from "vitest";
import { type Box, contains, flatSize } from "./space.ts";

const box: Box = { type: "Box", shape: [2, 3], dtype: "float32", low: -1, high: 1 };

test("a value has as many numbers as the shape's product, a Discrete one has one", () => {
  expect(flatSize(box)).toBe(6);
  expect(flatSize({ type: "Discrete", n: 5 })).toBe(1);
  expect(flatSize({ ...box, shape: [] })).toBe(1);
});

test.each([
  [[0], true],
  [[4], true],
  [[5], false],
  [[-1], false],
  [[0.5], false],
  [[Number.NaN], false],
  [[], false],
  [[0, 0], false],
])("Discrete(5) and %j", (value, member) => {
  expect(contains({ type: "Discrete", n: 5 }, value)).toBe(member);
});

test.each([
  [[0, 0.5, -0.5, 1, -1, 0], true],
  [[0, 0, 0, 0, 0, 1.01], false],
  [[0, 0, -1.01, 0, 0, 0], false],
  [[0, Number.NaN, 0, 0, 0, 0], false],
  [[0, 0, 0], false],
])("Box and %j", (value, member) => {
  expect(contains(box, value)).toBe(member);
});

test("bounds may be each element's own, and infinite", () => {
  const own: Box = { type: "Box", shape: [2], dtype: "float64", low: [0, Number.NEGATIVE_INFINITY], high: [1, 5] };
  expect(contains(own, [1, -1e300])).toBe(true);
  expect(contains(own, [1.5, 0])).toBe(false);
  expect(contains(own, [0, 6])).toBe(false);
});

test.each(["int8", "uint8", "int32"] as const)("%s holds whole numbers only", (dtype) => {
  expect(contains({ ...box, dtype }, [0, 1, 0, 1, 0, 1])).toBe(true);
  expect(contains({ ...box, dtype }, [0, 1, 0, 0.5, 0, 1])).toBe(false);
});
