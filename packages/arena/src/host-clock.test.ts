import { stat } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HostClock } from "./host-clock.ts";

let clock: HostClock;
beforeEach(() => {
  clock = new HostClock();
});
afterEach(() => clock.close());

function standStill(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test("what is read after a standstill is told of all of it, however busy the loop was in between", async () => {
  const told = await new Promise<number>((resolve) => {
    setTimeout(() => standStill(10), 100); // Due after the standstill, next to the heartbeat.
    setImmediate(() => {
      stat("/", () => resolve(clock.stallMs())); // Comes while the loop stands still, and is read after the timers.
      standStill(200);
    });
  });
  expect(told).toBeGreaterThan(150);
});

test("a standstill is forgotten once the loop has gone on", async () => {
  standStill(100);
  await sleep(1); // The heartbeat, and what lay there.
  const told: number[] = [];
  // A busy host may stand still at any moment: the least of some readings is the one that says.
  for (let looks = 0; looks < 20; looks++) {
    await sleep(5);
    told.push(clock.stallMs());
  }
  expect(Math.min(...told)).toBe(0);
});
