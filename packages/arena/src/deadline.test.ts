import { expect, test } from "vitest";
import type { ClockSamples, Sample } from "./clock-samples.ts";
import { Deadline } from "./deadline.ts";
import type { HostClock } from "./host-clock.ts";

/** A busy host may fire a timer late; a deadline that is put off for ever goes on for half a minute. */
const SOON_MS = 5_000;

interface Scene {
  readonly isReady: () => boolean;
  /** Of each millisecond of wall time, what goes into each clock. */
  readonly delay: number;
  readonly cpu: number;
}

/** Real time, made-up readings. Says how the deadline ended, and after how long. */
function run(allowanceMs: number, scene: Scene): Promise<{ how: "late" | "starved"; afterMs: number }> {
  const began = performance.now();
  const reading = (): Sample => {
    const at = performance.now();
    return { at, clocks: { cpuMs: (at - began) * scene.cpu, runDelayMs: (at - began) * scene.delay, throttledMs: 0 } };
  };
  return new Promise((resolve) => {
    const end = (how: "late" | "starved") => resolve({ how, afterMs: performance.now() - began });
    new Deadline({
      host: { now: () => performance.now(), stallMs: () => 0 } as unknown as HostClock,
      samples: { now: reading, recent: reading } as unknown as ClockSamples,
      allowanceMs,
      isReady: scene.isReady,
      onLate: () => end("late"),
      onStarved: () => end("starved"),
    });
  });
}

test("an agent that sleeps is late when its time is over", async () => {
  const { how, afterMs } = await run(50, { isReady: () => false, delay: 0, cpu: 0 });
  expect(how).toBe("late");
  expect(afterMs).toBeLessThan(SOON_MS);
});

test("a herd whose waits add up to all of the time, but that is seldom ready, is late", async () => {
  let look = 0;
  const { how, afterMs } = await run(50, { isReady: () => ++look % 4 === 0, delay: 20, cpu: 0.05 });
  expect(how).toBe("late");
  expect(afterMs).toBeLessThan(SOON_MS);
});

test("an agent that computes has no more than its time, ready as it is", async () => {
  const { how, afterMs } = await run(100, { isReady: () => true, delay: 0, cpu: 1 });
  expect(how).toBe("late");
  expect(afterMs).toBeLessThan(SOON_MS);
});

test("an agent that is ready half the time and runs half the time has at most twice its time", async () => {
  let look = 0;
  const { how, afterMs } = await run(200, { isReady: () => ++look % 2 === 0, delay: 20, cpu: 0.5 });
  expect(how).toBe("late");
  expect(afterMs).toBeLessThan(SOON_MS);
});

test("an agent that is kept from running is given what the host took", async () => {
  const { how, afterMs } = await run(100, { isReady: () => true, delay: 0.8, cpu: 0.2 });
  expect(how).toBe("late");
  // A fifth of the CPU is a fifth of the speed.
  expect(afterMs).toBeGreaterThan(450);
});
