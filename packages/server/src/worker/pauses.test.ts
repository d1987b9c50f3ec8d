import { spawn } from "node:child_process";
import { cpus } from "node:os";
import { pino } from "pino";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { MachineWatch } from "./machine.ts";
import { Pauses } from "./pauses.ts";

const log = pino({ level: "silent" });
const OWN = { of: "this worker", keepFree: {} };
let machine: MachineWatch;
beforeAll(async () => {
  machine = await MachineWatch.start();
});

const busy: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of busy.splice(0)) child.kill("SIGKILL");
});

test("nothing is taken before the machine was looked at, nor after floors came until it was looked at with them", async () => {
  const changed = vi.fn();
  const pauses = new Pauses(machine, OWN, log, changed);
  expect(pauses.open).toBe(false);
  await pauses.look();
  expect(pauses.open).toBe(true);
  expect(changed).toHaveBeenCalledOnce();
  const looked = pauses.set([{ of: "the queue default", keepFree: { cpus: machine.total.cpus + 1 } }]);
  expect(pauses.open).toBe(false);
  await looked;
  expect(pauses.open).toBe(false);
  expect(pauses.reason).toContain("the queue default keeps");
  const lifted = pauses.set([]);
  expect(pauses.open).toBe(false);
  await lifted;
  expect(pauses.open).toBe(true);
  const same = pauses.set([]);
  expect(pauses.open).toBe(true);
  await same;
});

test("a machine whose CPUs are all busy says so from the first look on", async () => {
  for (const _ of cpus()) busy.push(spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }));
  // They run by then.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const watch = await MachineWatch.start();
  const pauses = new Pauses(watch, { of: "this worker", keepFree: { cpus: watch.total.cpus * 0.9 } }, log, () => {});
  await pauses.look();
  expect(pauses.open).toBe(false);
  expect(pauses.reason).toContain("CPUs are free");
});
