import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OwnerCgroups } from "./cgroup.ts";
import { type CgroupLayout, type Controller, cgroupLayout } from "./cgroup-layout.ts";
import { removeLeftovers } from "./owners.ts";

const layout: CgroupLayout = { mode: "none", parents: new Map(), all: [], missing: new Map() };

test("in a run folder that others may write to, nothing says whom to kill", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lanista-strangers-"));
  const victim = spawn("/bin/sleep", ["60"]);
  const gone = new Promise((resolve) => victim.once("exit", resolve));
  const ended = (ms: number): Promise<unknown> =>
    Promise.race([gone.then(() => true), new Promise((resolve) => setTimeout(resolve, ms, false))]);
  try {
    const dead = `lanista-999999999-1-${statSync("/proc/self/ns/pid").ino}-00000000`;
    const place = join(dir, "not-a-control-group", dead);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "cgroup.procs"), `${victim.pid}\n`);
    const runDir = join(dir, "run");
    mkdirSync(join(runDir, dead), { recursive: true });
    writeFileSync(join(runDir, dead, "cgroups.json"), JSON.stringify([place]));

    chmodSync(runDir, 0o777);
    await expect(removeLeftovers(runDir, layout)).rejects.toMatchObject({ code: "refused" });
    expect(await ended(100)).toBe(false);

    // The same in a folder of this user's alone is believed: what was just prevented is real.
    chmodSync(runDir, 0o700);
    await expect(removeLeftovers(runDir, layout)).rejects.toThrow("cannot be removed");
    expect(await ended(15_000)).toBe(true);
  } finally {
    victim.kill("SIGKILL");
    rmSync(dir, { recursive: true });
  }
});

const here = cgroupLayout();
test.skipIf(!here.parents.has("pids"))("of control groups that cannot all be made none stays", () => {
  const pids = here.parents.get("pids")!;
  const name = "lanista-half-made";
  // A group cannot be made below a file.
  const parents = new Map<Controller, string>([
    ["pids", pids],
    ["memory", join(pids, "cgroup.procs")],
  ]);
  expect(() => new OwnerCgroups({ ...here, parents }, name)).toThrow("ENOTDIR");
  expect(existsSync(join(pids, name))).toBe(false);
});
