import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundleConfig } from "./bundle.ts";
import { cgroupLayout } from "./cgroup-layout.ts";
import { examineHost } from "./doctor.ts";
import { findNode, findPython } from "./interpreters.ts";
import { defaultLimits, normaliseLimits } from "./limits.ts";
import { removeLeftovers } from "./owners.ts";
import { hostLayers, makeRoot } from "./root.ts";
import { RunDelay } from "./run-delay.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lanista-parts-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("limits are completed, and the defaults are left alone", () => {
  expect(normaliseLimits()).toEqual(defaultLimits);
  expect(normaliseLimits({ pids: 3 })).toEqual({ ...defaultLimits, pids: 3 });
});

describe("the bundle", () => {
  const config = bundleConfig({
    runtime: "crun",
    argv: ["/bin/true"],
    env: { A: "b" },
    cwd: "/tmp",
    hostname: "box",
    user: { uid: 5, gid: 6 },
    limits: defaultLimits,
    overlays: hostLayers(),
    agentDir: "/a",
    emptyDir: "/e",
    seccomp: { defaultAction: "SCMP_ACT_ERRNO" },
    hookFiles: [],
  }) as Record<string, never>;

  test("gives no capability, no new privilege, no descriptor of a terminal, and a read-only root", () => {
    const { process, root } = config as unknown as { process: Record<string, unknown>; root: { readonly: boolean } };
    expect(Object.values(process.capabilities as object).flat()).toEqual([]);
    expect(process).toMatchObject({ noNewPrivileges: true, terminal: false, env: ["A=b"] });
    expect(root.readonly).toBe(true);
  });

  test("mounts nothing writable but /tmp, /dev and /dev/shm, and no host folder but by an overlay", () => {
    const { mounts } = config as unknown as { mounts: { destination: string; type: string; options: string[] }[] };
    const writable = mounts.filter(({ options }) => !options.includes("ro")).map(({ destination }) => destination);
    expect(writable.sort()).toEqual(["/dev", "/dev/shm", "/proc", "/tmp"]);
    expect(mounts.filter(({ type }) => type === "bind").map(({ destination }) => destination)).toEqual(["/agent"]);
    for (const { destination, options } of mounts)
      expect([destination, options]).toEqual([destination, expect.arrayContaining(["nosuid"])]);
  });
});

test("the root holds links and small files of its own, and no secret of the host's", () => {
  makeRoot(dir, { uid: 7, gid: 8 }, ["/opt/x/y"], "box");
  expect(readFileSync(join(dir, "etc/passwd"), "utf8")).toMatch(/^root:.*\nagent:x:7:8::/);
  expect(existsSync(join(dir, "etc/shadow"))).toBe(false);
  expect(existsSync(join(dir, "opt/x/y"))).toBe(true);
});

describe("interpreters", () => {
  test("Python is found with its version and what must be mounted", async () => {
    const python = await findPython();
    expect(python.version).toMatch(/^3\.\d+\.\d+$/);
    for (const { source, target } of python.mounts) {
      expect(source).toBe(target);
      expect(source.startsWith("/usr/")).toBe(false);
    }
    expect(
      python.path.startsWith("/usr/") || python.mounts.some(({ source }) => python.path.startsWith(`${source}/`)),
    ).toBe(true);
  });

  test("a name that is no Python is refused with what to do", async () => {
    await expect(findPython("/no/such/python")).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/install python3/),
    });
  });

  test("a folder too high in the tree is not shown", async () => {
    const fake = join(dir, "python");
    writeFileSync(
      fake,
      `#!/bin/sh\necho '{"version":"3.11.0","executable":"${fake}","real":"${fake}","prefixes":["/tmp","/tmp","/tmp","/tmp"]}'\n`,
    );
    chmodSync(fake, 0o755);
    await expect(findPython(fake)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/too high/),
    });
  });

  test("Node is the one that runs this process", () => {
    expect(findNode().version).toBe(process.versions.node);
  });
});

describe("leftovers", () => {
  const namespace = statSync("/proc/self/ns/pid").ino;

  test("of processes in another pid namespace are not ours to judge", async () => {
    const foreign = join(dir, "lanista-999999999-1-1-00000000");
    mkdirSync(foreign);
    await removeLeftovers(dir, { mode: "none", parents: new Map(), all: [], missing: new Map() });
    expect(existsSync(foreign)).toBe(true);
  });

  test("of dead processes go, those of living ones and of others stay", async () => {
    const dead = `lanista-999999999-1-${namespace}-00000000`;
    const alive = `lanista-${process.pid}-${readFileSync("/proc/self/stat", "utf8").split(") ")[1]!.split(" ")[19]}-${namespace}-00000000`;
    const reused = `lanista-${process.pid}-1-${namespace}-00000000`;
    for (const name of [dead, alive, reused, "something-else"]) mkdirSync(join(dir, name, "b1"), { recursive: true });
    const removed = await removeLeftovers(dir, { mode: "none", parents: new Map(), all: [], missing: new Map() });
    expect(removed.sort()).toEqual([join(dir, dead), join(dir, reused)].sort());
    expect(existsSync(join(dir, alive, "b1"))).toBe(true);
    expect(existsSync(join(dir, "something-else"))).toBe(true);
  });

  test("a list of control groups that was tampered with leads nowhere", async () => {
    const dead = join(dir, `lanista-999999999-1-${namespace}-00000000`);
    const victim = join(dir, "victim");
    mkdirSync(dead);
    mkdirSync(victim);
    writeFileSync(join(dead, "cgroups.json"), JSON.stringify([victim, 7, null]));
    await removeLeftovers(dir, { mode: "none", parents: new Map(), all: [], missing: new Map() });
    expect(existsSync(victim)).toBe(true);
  });
});

test("run delay only grows, also when a task has gone", () => {
  const delay = new RunDelay();
  const first = delay.update([process.pid]);
  expect(first).toBeGreaterThanOrEqual(0);
  expect(delay.update([])).toBe(first);
  expect(delay.update([999999999])).toBe(first);
});

test("the layout names for each controller a writable folder, or why there is none", () => {
  const layout = cgroupLayout();
  for (const controller of ["cpu", "cpuacct", "memory", "pids"] as const)
    expect(layout.parents.has(controller)).not.toBe(layout.missing.has(controller));
});

test("the doctor tries each runtime, and says of one that is missing what to install", async () => {
  const report = await examineHost();
  expect(report.runtimes.map(({ runtime }) => runtime).sort()).toEqual(["crun", "docker", "runc", "runsc"]);
  expect(report.tools.map(({ name }) => name)).toContain("umoci");
  for (const one of report.runtimes) {
    if (one.path === null) expect(one.problem).toMatch(/apt-get install/);
    else expect([one.runtime, one.works, one.problem]).toEqual([one.runtime, true, null]);
  }
  const path = process.env.PATH;
  process.env.PATH = dir;
  try {
    expect((await examineHost()).runtimes.find(({ runtime }) => runtime === "crun")).toMatchObject({
      path: null,
      works: false,
    });
  } finally {
    process.env.PATH = path;
  }
});
