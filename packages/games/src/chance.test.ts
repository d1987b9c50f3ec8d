import { describe, expect, test } from "vitest";
import { noChance, ScriptedChance, SeededChance, threefry2x32 } from "./chance.ts";

describe("threefry2x32", () => {
  // From the Random123 library's tests/kat_vectors (D. E. Shaw Research), "threefry2x32 20": counter, key, result.
  test.each([
    [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xc4923a9c, 0x483df7a0],
  ])("known answer for counter %i, %i and key %i, %i", (c0, c1, k0, k1, first, second) => {
    const out = new Uint32Array(2);
    threefry2x32(k0, k1, c0, c1, out);
    expect(Array.from(out)).toEqual([first, second]);
  });
});

const draws = (chance: SeededChance, count = 20) => Array.from({ length: count }, () => chance.below(1000));

describe("SeededChance", () => {
  test("draws the blocks of counter 0, 1, 2 … in order", () => {
    const chance = SeededChance.fromSeed(0);
    const out = new Uint32Array(2);
    for (let counter = 0; counter < 3; counter++) {
      threefry2x32(0, 0, counter, 0, out);
      expect([chance.below(2 ** 32), chance.below(2 ** 32)]).toEqual(Array.from(out));
    }
  });

  test("takes every seed from 0 to 2^53 − 1, all of its bits, and no other", () => {
    const seeds = [0, 1, 2 ** 32, 2 ** 52, 2 ** 53 - 1];
    expect(new Set(seeds.map((seed) => String(draws(SeededChance.fromSeed(seed))))).size).toBe(seeds.length);
    expect(draws(SeededChance.fromSeed(7))).toEqual(draws(SeededChance.fromSeed(7)));
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => SeededChance.fromSeed(seed)).toThrow(RangeError);
  });

  test("splits into streams that do not depend on what was drawn, nor repeat each other or their parent", () => {
    const parent = SeededChance.fromSeed(3);
    const early = draws(parent.split(5));
    const own = draws(parent);
    expect(draws(parent.split(5))).toEqual(early);
    const children = [0, 1, 5, 2 ** 32 - 1].map((index) => String(draws(parent.split(index))));
    const grandchild = String(draws(parent.split(0).split(0)));
    expect(new Set([...children, grandchild, String(own)]).size).toBe(6);
  });

  test("below is uniform: chi-squared of 60,000 throws of a die is below the 0.999 quantile, 20.5", () => {
    const chance = SeededChance.fromSeed(11);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) counts[chance.below(6)]!++;
    expect(counts.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(20.5);
  });

  test("below throws words away that would favour small numbers", () => {
    // Below 3 × 2^30, the last quarter of the words would make the first third come in half of the draws.
    const chance = SeededChance.fromSeed(5);
    let small = 0;
    for (let i = 0; i < 10_000; i++) if (chance.below(3 * 2 ** 30) < 2 ** 30) small++;
    expect(Math.abs(small - 3333)).toBeLessThan(200);
  });

  test("below one is always 0, and below 2^32 reaches high", () => {
    const chance = SeededChance.fromSeed(1);
    expect(new Set(Array.from({ length: 50 }, () => chance.below(1)))).toEqual(new Set([0]));
    expect(Math.max(...Array.from({ length: 100 }, () => chance.below(2 ** 32)))).toBeGreaterThan(2 ** 31);
  });

  test("uniform is made of 53 random bits and keeps to its range", () => {
    const chance = SeededChance.fromSeed(2);
    const [first, second] = [chance.below(2 ** 32), chance.below(2 ** 32)];
    const again = SeededChance.fromSeed(2);
    expect(again.uniform(0, 1)).toBe(((first >>> 5) * 2 ** 26 + (second >>> 6)) / 2 ** 53);
    const values = Array.from({ length: 10_000 }, () => chance.uniform(-0.05, 0.05));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.05);
    expect(Math.max(...values)).toBeLessThan(0.05);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.002);
  });
});

test("ScriptedChance hands out its outcomes in order, and refuses those that cannot be", () => {
  const chance = new ScriptedChance([2, 0.5, 3, 1.5]);
  expect(chance.below(3)).toBe(2);
  expect(chance.uniform(0, 1)).toBe(0.5);
  expect(() => chance.below(3)).toThrow("scripted outcome 3 is not in 0 … 2");
  expect(chance.taken).toBe(2);
  expect(chance.below(4)).toBe(3);
  expect(() => chance.below(4)).toThrow("scripted outcome 1.5");
  expect(chance.uniform(1, 2)).toBe(1.5);
  expect(() => chance.below(2)).toThrow("ended after 4");
});

test("noChance throws at any draw", () => {
  expect(() => noChance.below(2)).toThrow("declared free of chance");
  expect(() => noChance.uniform(0, 1)).toThrow("declared free of chance");
});
