import { describe, expect, it } from "vitest";
import { goal, median, percentile, short, spread } from "./figures.ts";
import { interleave } from "./rounds.ts";

describe("figures", () => {
  it("take percentiles between samples, in any order", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(percentile([10, 0], 0.95)).toBeCloseTo(9.5);
    expect(() => median([])).toThrow(RangeError);
    expect(spread([2, 9, 4])).toEqual({ median: 4, least: 2, greatest: 9, samples: 3 });
    expect(spread([])).toBeNull();
  });

  it("show three digits", () => {
    expect([0.012345, 1.2345, 12.345, 12345, 0].map(short)).toEqual(["0.0123", "1.23", "12.3", "12,300", "0"]);
  });

  it("say whether a goal is met, missed or unknown", () => {
    const write = (value: number): string => `${value} ms`;
    expect(goal("a", 5, "≤", 5, write)).toEqual({ what: "a", bound: "≤ 5 ms", is: "5 ms", met: true });
    expect(goal("a", 6, "≤", 5, write).met).toBe(false);
    expect(goal("a", 6, "≥", 5, write).met).toBe(true);
    expect(goal("a", undefined, "≥", 5, write)).toMatchObject({ is: "not measured", met: null });
  });
});

describe("rounds", () => {
  it("run everybody in each round, turned round every other, and throw the first away", async () => {
    const order: string[] = [];
    let count = 0;
    const contestant = (name: string) => ({
      name,
      run: async () => {
        order.push(name);
        return ++count;
      },
    });
    const samples = await interleave([contestant("a"), contestant("b")], 2);
    expect(order.join("")).toBe("abbaab");
    expect([...samples]).toEqual([
      ["a", [4, 5]],
      ["b", [3, 6]],
    ]);
  });
});
