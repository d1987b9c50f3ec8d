import { expect, test } from "vitest";
import { ClockSamples } from "./clock-samples.ts";
import { CpuLedger } from "./cpu-ledger.ts";

/** A host whose time is set by hand, and a box whose CPU clock is. */
function ledger(cpus: number) {
  const world = { at: 1000, cpuMs: 0 };
  const host = { now: () => world.at };
  const sandbox = { clocks: () => ({ cpuMs: world.cpuMs, runDelayMs: 0, throttledMs: 0 }) };
  const made = new CpuLedger(new ClockSamples(sandbox, host as never), cpus);
  return {
    wait(ms: number, cpuMs: number): void {
      world.at += ms;
      world.cpuMs += cpuMs;
      made.turnBegins(world.at);
    },
    turn(ms: number, cpuMs: number): void {
      world.at += ms;
      world.cpuMs += cpuMs;
      made.turnEnds(world.at);
    },
    charge: () => Math.round(made.takeCharge()),
  };
}

test("CPU time of one's own turns is free, with as many CPUs as one has", () => {
  const one = ledger(1);
  const two = ledger(2);
  for (const each of [one, two]) each.wait(1000, 0);
  one.turn(1000, 1000);
  two.turn(1000, 2000);
  expect([one.charge(), two.charge()]).toEqual([0, 0]);
});

test("CPU time of others' turns is charged once, beyond a little that is free", () => {
  const seat = ledger(1);
  seat.wait(1000, 1000);
  expect(seat.charge()).toBe(1000 - 250 - 20);
  seat.turn(100, 100);
  seat.wait(1000, 500);
  expect(seat.charge()).toBe(500 - 20);
  expect(seat.charge()).toBe(0);
});

test("a turn slept through is no credit for the next wait, if it is long", () => {
  const seat = ledger(1);
  seat.wait(100, 0);
  seat.turn(5000, 0);
  seat.wait(1000, 1000);
  expect(seat.charge()).toBeGreaterThan(600);
});

test("over many quick moves the sums count, so that nobody burns CPU between the readings", () => {
  const seat = ledger(1);
  for (let move = 0; move < 1000; move++) {
    seat.wait(5, 5);
    seat.turn(1, 1);
  }
  expect(seat.charge()).toBeGreaterThan(3500);
  const honest = ledger(1);
  for (let move = 0; move < 1000; move++) {
    honest.wait(5, 0);
    honest.turn(1, 1);
  }
  expect(honest.charge()).toBe(0);
});

test("ticks of 10 ms, late, charge nobody", () => {
  const seat = ledger(1);
  let owed = 0;
  for (let move = 0; move < 500; move++) {
    owed += 3;
    const tick = owed >= 10 ? 10 : 0;
    owed -= tick;
    seat.wait(30, tick);
    seat.turn(3, 0);
  }
  expect(seat.charge()).toBe(0);
});
