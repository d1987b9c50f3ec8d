/** Whose limit it was: a host that is full, or a limit above the box's own, is no misdeed of the program's. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Box } from "./box.ts";
import { type BoxCgroup, type CgroupReading, OwnerCgroups } from "./cgroup.ts";
import { cgroupLayout } from "./cgroup-layout.ts";
import { LAUNCH_LOG, spawnChain } from "./launch.ts";
import { limitReached } from "./limit-reached.ts";
import { defaultLimits, normaliseLimits } from "./limits.ts";
import type { Cause, SandboxStamp } from "./types.ts";

const used = { outputBytes: 0, scratchFull: () => false };

describe.skipIf(!cgroupLayout().parents.has("pids"))("a process that was refused", () => {
  let outer: OwnerCgroups | undefined;
  afterEach(() => outer?.remove());

  /** A box's groups below an owner's of ours, which has room for `above` tasks. */
  function boxBelow(above: string, pids: number): BoxCgroup {
    const layout = cgroupLayout();
    const name = `lanista-test-${randomBytes(4).toString("hex")}`;
    outer = new OwnerCgroups(layout, name);
    writeFileSync(join(layout.parents.get("pids")!, name, "pids.max"), above);
    const parents = new Map([...layout.parents].map(([controller, place]) => [controller, join(place, name)] as const));
    const inner = new OwnerCgroups({ ...layout, parents, all: [...new Set(parents.values())] }, "inner");
    return inner.box("b1", normaliseLimits({ pids }), { pids: 0, memoryBytes: 0 });
  }

  /** What the box's counters say when twenty processes were wanted in it; some may go before anybody looks. */
  async function fork(box: BoxCgroup, stay: boolean): Promise<CgroupReading> {
    const enter = box.entryFiles.map((file) => `echo 0 >'${file}'`);
    const forks =
      "import os, time\nfor _ in range(20):\n  try:\n    if os.fork() == 0: time.sleep(60)\n  except OSError: break";
    const child = spawn("/bin/sh", [
      "-c",
      `${enter.join("\n")}\nexec /usr/bin/python3 -I -c "$0"`,
      `${forks}\nprint(1)`,
    ]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    if (!stay) for (const pid of box.pids()) process.kill(pid, "SIGKILL");
    for (let tries = 0; !stay && tries < 500 && box.pids().length > 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    return box.read();
  }

  test.each([true, false])("by the box's own limit, is the program's (still there: %s)", async (stay) => {
    const reading = await fork(boxBelow("max", 8), stay);
    expect(limitReached(defaultLimits, reading, used)).toEqual({ kind: "pids" });
  });

  test.each([true, false])("by a limit above it, is not (still there: %s)", async (stay) => {
    const reading = await fork(boxBelow("8", 64), stay);
    const cause = limitReached(defaultLimits, reading, used);
    // A kernel that tells the two apart itself counts nothing here.
    if (reading.pidsRefused > 0) expect(cause).toMatchObject({ kind: "runtimeFault" });
    else expect(cause).toBeUndefined();
  });

  /** A box whose chain has been killed by somebody else before the box could look at its counters even once. */
  async function killedAtOnce(cgroup: BoxCgroup): Promise<Cause> {
    const dir = mkdtempSync(join(tmpdir(), "lanista-finish-"));
    writeFileSync(join(dir, LAUNCH_LOG), "");
    const child = spawnChain(["sh", "-c", "kill -KILL $$"], dir, false);
    while (!/^State:\s+Z/m.test(readFileSync(`/proc/${child.pid}/status`, "utf8")));
    const stamp: SandboxStamp = {
      tier: "container",
      runtime: "crun",
      runtimeVersion: "crun",
      kernel: "",
      rootless: false,
      cgroup: cgroupLayout().mode,
      limits: defaultLimits,
      gaveUp: [],
    };
    const box = new Box({
      id: "b1",
      child,
      cgroup,
      runtimeGroups: [],
      dir,
      agentDir: dir,
      stamp,
      limits: defaultLimits,
      scratch: { path: "/tmp", namespaces: 3 },
      programSign: { kind: "filtered", namespaces: 3 },
      onUp: () => {},
      onEnded: () => {},
    });
    box.stdout.resume();
    box.stderr.resume();
    return (await box.ended).cause;
  }

  test("explains a runtime that was killed", async () => {
    const cgroup = boxBelow("max", 8);
    await fork(cgroup, false);
    expect(await killedAtOnce(cgroup)).toEqual({ kind: "pids" });
  });

  test("is not to blame where none was: a runtime that was killed is ours", async () => {
    expect(await killedAtOnce(boxBelow("max", 8))).toEqual({
      kind: "runtimeFault",
      detail: "the runtime was killed by SIGKILL",
    });
  });
});
