import { expect, test } from "vitest";
import { type Floor, pauseReason } from "./floors.ts";

const GiB = 1024 ** 3;
const total = { cpus: 8, memoryBytes: 32 * GiB, gpus: 1, vramBytes: 24 * GiB };
const gpuQueue: Floor = { of: "the queue gpu", keepFree: { memoryBytes: 4 * GiB, vramBytes: 8 * GiB } };
const why = (free: Partial<typeof total>, paused = false, floors = [gpuQueue]) =>
  pauseReason(floors, { ...total, ...free }, total, paused);

test("nothing is kept free unless somebody asks for it", () => {
  expect(pauseReason([], { cpus: 0, memoryBytes: 0, gpus: 0, vramBytes: 0 }, total, false)).toBe("");
});

test("says what is scarce, and for whom", () => {
  expect(why({})).toBe("");
  expect(why({ memoryBytes: 3 * GiB })).toBe("3.00 GiB of memory are free, and the queue gpu keeps 4.00 GiB of memory");
  expect(why({ vramBytes: 7 * GiB })).toContain("GPU memory");
  expect(why({ cpus: 0.4 }, false, [{ of: "this worker", keepFree: { cpus: 1 } }])).toContain(
    "this worker keeps 1.0 CPUs",
  );
});

test("takes jobs again only when a little more is free", () => {
  expect(why({ memoryBytes: 4.1 * GiB })).toBe("");
  expect(why({ memoryBytes: 4.1 * GiB }, true)).not.toBe("");
  expect(why({ memoryBytes: 4.5 * GiB }, true)).toBe("");
});

test("a floor at all that there is can still be met", () => {
  const all = [{ of: "the queue night", keepFree: { cpus: 8 } }];
  expect(why({ cpus: 7.9 }, true, all)).not.toBe("");
  expect(why({ cpus: 8 }, true, all)).toBe("");
});
