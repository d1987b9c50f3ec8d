import { expect, test } from "vitest";
import { starvedMs } from "./starvation.ts";

const zero = { cpuMs: 0, runDelayMs: 0, throttledMs: 0 };

test.each([
  ["nobody in the way", { cpuMs: 1000, runDelayMs: 3, throttledMs: 0 }, 0],
  ["asleep", { cpuMs: 0, runDelayMs: 0, throttledMs: 0 }, 0],
  ["four others on its CPU", { cpuMs: 200, runDelayMs: 800, throttledMs: 0 }, 800],
  ["half asleep, half waiting", { cpuMs: 0, runDelayMs: 500, throttledMs: 0 }, 500],
  ["eight threads of its own on one CPU", { cpuMs: 1000, runDelayMs: 7000, throttledMs: 0 }, 0],
  ["eight threads of its own on two CPUs", { cpuMs: 2000, runDelayMs: 6000, throttledMs: 0 }, 0],
  ["eight threads, and others", { cpuMs: 250, runDelayMs: 7750, throttledMs: 0 }, 750],
  ["half a CPU by its own limit", { cpuMs: 500, runDelayMs: 500, throttledMs: 500 }, 0],
  ["throttled more than the wall's time, on several CPUs", { cpuMs: 500, runDelayMs: 3000, throttledMs: 1500 }, 0],
  ["half a CPU, and others", { cpuMs: 100, runDelayMs: 900, throttledMs: 100 }, 800],
])("over a second, %s", (_, to, expected) => {
  expect(starvedMs(zero, to, 1000)).toBe(expected);
});
