/** A runtime that takes its time is not the program's time: told apart by what the kernel says of the box's processes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cgroupLayout } from "./cgroup-layout.ts";
import { unenforceable } from "./enforceable.ts";
import { SandboxHost } from "./host.ts";
import { ProgramView } from "./program-view.ts";
import { findExecutable } from "./runtimes.ts";

const path = process.env.PATH;
let dir: string;
let host: SandboxHost;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "lanista-up-"));
  host = await SandboxHost.open({ runDir: join(dir, "run") });
  // Runtimes and a setpriv that are as slow as on a starved host: they wait for a word of ours.
  for (const name of ["crun", "runc", "runsc", "setpriv"]) {
    const wait = name === "setpriv" ? "" : '[ "$1" = --version ] || ';
    const real = findExecutable(name);
    if (real === undefined) continue;
    const lines = ["#!/bin/sh", `${wait}while ! [ -e '${join(dir, "go")}' ]; do sleep 0.01; done`, `exec ${real} "$@"`];
    mkdirSync(join(dir, "slow", name), { recursive: true });
    writeFileSync(join(dir, "slow", name, name), lines.join("\n"), { mode: 0o755 });
  }
});
afterAll(async () => {
  process.env.PATH = path;
  await host.close();
  rmSync(dir, { recursive: true, force: true });
});

const kinds = [
  ["crun", "container", "crun"],
  ["runc", "container", "runc"],
  ["runsc", "gvisor", "runsc"],
  ["crun", "container", "setpriv"],
] as const;

describe.each(kinds)("%s in the tier %s, with a slow %s", (runtime, tier, slow) => {
  test.skipIf(findExecutable(runtime) === undefined)("is up when its program runs, and not before", async () => {
    const giveUp = [...unenforceable(runtime, cgroupLayout(), process.getuid?.() !== 0).keys()];
    rmSync(join(dir, "go"), { force: true });
    process.env.PATH = `${join(dir, "slow", slow)}:${path}`;
    const box = await host.start({ tier, runtime, giveUp, argv: ["/bin/sh", "-c", "echo up; exec sleep 60"] });
    box.stderr.resume();
    const heard = new Promise((resolve) => box.stdout.once("data", resolve));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([box.programUp, box.over]).toEqual([false, false]);
    writeFileSync(join(dir, "go"), "");
    await heard;
    expect([box.programUp, box.over]).toEqual([true, false]);
    box.kill("seen");
    expect(box.over).toBe(true);
    expect((await box.ended).cause).toEqual({ kind: "killed", reason: "seen" });
    expect(box.programUp).toBe(true);
  });
});

test.skipIf(findExecutable("crun") === undefined)("a program whose first thread has ended is not over", async () => {
  const giveUp = [...unenforceable("crun", cgroupLayout(), process.getuid?.() !== 0).keys()];
  // By a system call that no other thread takes notice of.
  const script = `
import ctypes, platform, threading, time
def late():
    while "Z" not in open("/proc/self/status").read().split("State:")[1][:4]: time.sleep(0.01)
    print("alone", flush=True)
    time.sleep(60)
threading.Thread(target=late).start()
ctypes.CDLL(None).syscall(60 if platform.machine() == "x86_64" else 93, 0)`;
  const argv = ["/usr/bin/python3", "-I", "-c", script];
  const box = await host.start({ tier: "container", runtime: "crun", giveUp, argv });
  box.stderr.resume();
  await new Promise((resolve) => box.stdout.once("data", resolve));
  expect([box.programUp, box.over]).toEqual([true, false]);
  box.kill("seen");
  await box.ended;
});

test("a program is looked for ever more seldom, and no more once it has spoken", () => {
  let looks = 0;
  const pids = (): number[] => {
    looks++;
    return [];
  };
  const view = new ProgramView({ kind: "filtered", namespaces: 3 }, pids);
  for (let glance = 0; glance < 100; glance++) view.glance(false);
  expect(looks).toBe(7);
  expect(view.up).toBe(false);
  view.glance(true);
  expect(view.up).toBe(true);
  for (let glance = 0; glance < 100; glance++) view.glance(false);
  expect(looks).toBe(8);
});
