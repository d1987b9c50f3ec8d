import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cgroupLayout } from "./cgroup-layout.ts";
import { checks, type Kind, Kit } from "./conformance.ts";
import { refuseUnenforceable, unenforceable } from "./enforceable.ts";
import { SandboxError } from "./errors.ts";
import { SandboxHost } from "./host.ts";
import { removeLeftovers } from "./owners.ts";
import { SandboxPool } from "./pool.ts";
import { findExecutable } from "./runtimes.ts";
import { canStartEngine, startTestEngine, type TestEngine } from "./testing/engine.ts";
import { canMakeImage, intoEngine, makeTestImage } from "./testing/image.ts";
import type { GiveUp, Runtime, SandboxSpec, Tier } from "./types.ts";

const rootless = process.getuid?.() !== 0;
const runDir = mkdtempSync(join(tmpdir(), "lanista-sandbox-test-"));
const layout = cgroupLayout();
let host: SandboxHost;
let engine: TestEngine | undefined;

beforeAll(async () => {
  if (canStartEngine) {
    engine = await startTestEngine();
    process.env.DOCKER_HOST = engine.address;
  }
  host = await SandboxHost.open({ runDir, cacheDir: join(runDir, "cache") });
});
afterAll(async () => {
  await host.close();
  rmSync(join(runDir, "cache"), { recursive: true, force: true });
  const containers = (await engine?.docker.listContainers({ all: true })) ?? [];
  const volumes = (await engine?.docker.listVolumes())?.Volumes ?? [];
  await engine?.stop();
  delete process.env.DOCKER_HOST;
  expect([containers, volumes]).toEqual([[], []]);
  const left = readdirSync(runDir);
  rmSync(runDir, { recursive: true });
  expect(left).toEqual([]);
  for (const place of layout.all)
    expect(readdirSync(place).filter((name) => name.startsWith(`lanista-${process.pid}-`))).toEqual([]);
});

const kinds: readonly { readonly tier: Tier; readonly runtime: Runtime; readonly image?: true }[] = [
  { tier: "container", runtime: "crun" },
  { tier: "container", runtime: "runc" },
  { tier: "gvisor", runtime: "runsc" },
  { tier: "docker", runtime: "docker" },
  { tier: "none", runtime: "none" },
  { tier: "container", runtime: "crun", image: true },
  { tier: "container", runtime: "runc", image: true },
  { tier: "gvisor", runtime: "runsc", image: true },
  { tier: "docker", runtime: "docker", image: true },
];

const isPresent = (runtime: Runtime): boolean =>
  runtime === "docker" ? canStartEngine : runtime === "none" || findExecutable(runtime) !== undefined;

for (const { image, ...kind } of kinds) {
  // A test of the limits on a host without delegation gives up what it must: what is left must hold all the same.
  const giveUp: GiveUp[] = kind.runtime === "none" ? [] : [...unenforceable(kind.runtime, layout, rootless).keys()];
  const missing = new Set<GiveUp>(unenforceable(kind.runtime, layout, rootless).keys());
  const skip = !isPresent(kind.runtime) || (image === true && !canMakeImage);
  describe.skipIf(skip)(image ? `${kind.runtime} over an image` : kind.runtime, () => {
    const root: { image: string } = { image: "" };
    const full: Kind = { ...kind, giveUp, ...(image ? { root } : {}) };
    beforeAll(async () => {
      if (!image) return;
      const layoutFolder = makeTestImage(join(import.meta.dirname, "../../../.cache"));
      root.image = kind.tier === "docker" ? await intoEngine(engine!.docker, layoutFolder) : `${layoutFolder}:test`;
    });

    // What a limit does is the runtime's business and not the root's: over an image a few of the checks will do.
    for (const check of checks.filter((one) => !image || !/^(CPU|output|freezes)/.test(one.name)))
      test.skipIf(check.needs.some((name) => missing.has(name)))(check.name, async () => {
        expect(await check.run(new Kit(host, full))).toBeUndefined();
      });

    test("stamps tier, runtime, kernel and limits on the result", async () => {
      const { end } = await new Kit(host, full).run("pass", { pids: 33 });
      expect(end.stamp).toMatchObject({ ...kind, rootless, cgroup: layout.mode, limits: { pids: 33 } });
      expect(end.stamp.kernel).toMatch(/^\d+\.\d+/);
      if (kind.runtime !== "none") expect(end.stamp.runtimeVersion).toMatch(/\d/);
      expect(end.stamp.root).toEqual(image ? { digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) } : undefined);
    });

    test.runIf(image)("shows the image's files and none of the host's", async () => {
      const script =
        "import os; print(os.path.exists('/usr/bin/python3'), os.path.exists('/usr/share/doc'), os.listdir('/tmp'))";
      expect((await new Kit(host, full).run(script)).stdout).toBe("True False []\n");
    });
  });
}

test.skipIf(findExecutable("crun") === undefined)(
  "a filter that crun has translated once filters as before",
  async () => {
    const fresh = await SandboxHost.open({ runDir });
    try {
      const giveUp = [...unenforceable("crun", layout, rootless).keys()];
      const kit = new Kit(fresh, { tier: "container", runtime: "crun", giveUp });
      const script =
        "import ctypes, time; l = ctypes.CDLL(None, use_errno=True); r = l.unshare(0x10000000); e = ctypes.get_errno()\n" +
        "print([x.split()[1] for x in open('/proc/self/status') if x.startswith('Seccomp')], r, e, flush=True); time.sleep(0.2)";
      const said: string[] = [];
      for (let i = 0; i < 3; i++) said.push((await kit.run(script)).stdout);
      expect(said).toEqual(Array(3).fill("['2', '1'] -1 1\n"));
    } finally {
      await fresh.close();
    }
  },
);

describe("refusals", () => {
  const refused = (promise: Promise<unknown>) =>
    expect(promise).rejects.toMatchObject({ name: "SandboxError", code: "refused" });
  const spec: SandboxSpec = { tier: "container", argv: ["/bin/true"] };

  test("names what cannot be enforced, why, and how to give it up", () => {
    const reasons = new Map<GiveUp, string>([
      ["memoryBytes", "no memory controller"],
      ["pids", "no pids controller"],
    ]);
    expect(() => refuseUnenforceable(reasons, ["pids"])).toThrow(
      /memoryBytes: no memory controller\n.*\(memoryBytes\)/s,
    );
    expect(() => refuseUnenforceable(reasons, ["pids", "memoryBytes"])).not.toThrow();
  });

  test("a host without control groups can enforce no share of CPU, memory or pids", () => {
    const none = {
      mode: "none",
      parents: new Map(),
      all: [],
      missing: new Map([
        ["cpu", "x"],
        ["cpuacct", "x"],
        ["memory", "x"],
        ["pids", "x"],
      ]),
    } as const;
    expect([...unenforceable("crun", none as never, false).keys()].sort()).toEqual([
      "cpuSeconds",
      "cpus",
      "memoryBytes",
      "pids",
    ]);
  });

  test("unknown limits, limits that make no sense, unknown names to give up", async () => {
    await refused(host.start({ ...spec, limits: { memory: 1 } as never }));
    await refused(host.start({ ...spec, limits: { memoryBytes: 1 } }));
    await refused(host.start({ ...spec, limits: { pids: 1.5 } }));
    await refused(host.start({ ...spec, giveUp: ["everything" as never] }));
  });

  test("a runtime of another tier, an unknown tier, no program, a mount over the sandbox's own", async () => {
    await refused(host.start({ ...spec, runtime: "runsc" }));
    await refused(host.start({ ...spec, tier: "vault" as never }));
    await refused(host.start({ ...spec, argv: [] }));
    for (const target of ["/proc", "/tmp", "/agent", "/dev/shm", "/usr", "relative"])
      await refused(host.start({ ...spec, mounts: [{ source: "/usr/share", target }] }));
    await refused(host.start({ ...spec, mounts: [{ source: "/", target: "/host" }] }));
    await refused(host.start({ ...spec, mounts: [{ source: "/etc/passwd", target: "/x" }] }));
  });

  test("more open files than this process may have itself", async () => {
    await refused(host.start({ ...spec, limits: { openFiles: 2 ** 40 } }));
  });

  test("a program that is not there", async () => {
    await refused(host.start({ ...spec, argv: ["/no/such/program"] }));
    await refused(host.start({ ...spec, argv: ["true"] }));
  });

  test("errors are of one class", () => {
    expect(SandboxError.from(new Error("x"), "doing y")).toMatchObject({ code: "fault", message: "doing y: x" });
  });
});

test.skipIf(findExecutable("crun") === undefined)("a start that meets a close ends in a refusal", async () => {
  const closing = await SandboxHost.open({ runDir });
  const giveUp = [...unenforceable("crun", layout, rootless).keys()];
  // The first start asks the runtime for its version, so the close comes in between.
  const start = closing.start({ tier: "container", argv: ["/bin/sleep", "60"], giveUp });
  const [started] = await Promise.allSettled([start, closing.close()]);
  if (started.status === "fulfilled") await started.value.ended;
  expect(started).toMatchObject({ status: "rejected", reason: { code: "refused", message: "this host is closed" } });
});

describe("what a killed host process leaves", () => {
  test("goes at the next open; its processes went with it", async () => {
    const script = `
      import { SandboxHost } from ${JSON.stringify(join(import.meta.dirname, "host.ts"))};
      const host = await SandboxHost.open({ runDir: ${JSON.stringify(runDir)} });
      const box = await host.start({ tier: "container", argv: ["/bin/sleep", "4711"], giveUp: ${JSON.stringify([...unenforceable("crun", layout, rootless).keys()])} });
      setTimeout(() => process.kill(process.pid, "SIGKILL"), 300);`;
    const before = readdirSync(runDir);
    expect(() =>
      execFileSync(process.execPath, ["--input-type=module-typescript", "-e", script], { stdio: "pipe" }),
    ).toThrow();
    await expect.poll(() => sleepers()).toEqual([]);
    const left = readdirSync(runDir).filter((name) => !before.includes(name));
    expect(left).toHaveLength(1);
    const removed = await removeLeftovers(runDir);
    expect(removed).toContain(join(runDir, left[0]!));
    expect(readdirSync(runDir)).toEqual(before);
    for (const place of layout.all) expect(readdirSync(place)).not.toContain(left[0]);
  });
});

function sleepers(seconds = "4711"): string[] {
  return execFileSync("sh", ["-c", `grep -lsa ${seconds} /proc/[0-9]*/cmdline || true`], { encoding: "utf8" })
    .split("\n")
    .filter((path) => path !== "" && !path.includes(`/${process.pid}/`))
    .filter((path) => {
      try {
        return execFileSync("cat", [path], { encoding: "utf8" }).startsWith("/bin/sleep");
      } catch {
        return false;
      }
    });
}

describe("the pool", () => {
  test("hands out each sandbox once, warm, and replaces what died", async () => {
    const giveUp = [...unenforceable("crun", layout, rootless).keys()];
    const pool = new SandboxPool(
      host,
      { tier: "container", argv: ["/bin/cat"], giveUp, limits: { wallSeconds: 60 } },
      { size: 2 },
    );
    const full = () => expect.poll(() => pool.warm).toBe(2);
    await full();
    const a = await pool.take();
    const b = await pool.take();
    expect(a.id).not.toBe(b.id);
    for (const box of [a, b]) {
      const heard = new Promise((resolve) => box.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString())));
      box.stdin.write("hello\n");
      expect(await heard).toBe("hello\n");
    }
    await full();
    a.kill("done");
    b.kill("done");
    await Promise.all([a.ended, b.ended]);
    await pool.close();
    expect(pool.warm).toBe(0);
  });

  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const giveUp = [...unenforceable("crun", layout, rootless).keys()];

  test("replaces one that dies while it waits, though nobody takes any", async () => {
    const pool = new SandboxPool(host, { tier: "container", argv: ["/bin/sleep", "4712"], giveUp }, { size: 1 });
    const waiting = async (but?: string): Promise<string> => {
      for (let tries = 0; tries < 500; tries++) {
        const found = sleepers("4712").find((one) => one !== but);
        if (found !== undefined) return found;
        await sleep(20);
      }
      throw new Error("none is waiting");
    };
    const first = await waiting();
    process.kill(Number(first.split("/")[2]), "SIGKILL");
    expect(await waiting(first)).not.toBe(first);
    await pool.close();
  });

  test("waits longer and longer where all die", async () => {
    const count = async (): Promise<number> => {
      const box = await host.start({ tier: "none", argv: ["/bin/true"] });
      await box.ended;
      return Number(box.id.slice(1));
    };
    const before = await count();
    const pool = new SandboxPool(host, { tier: "none", argv: ["/bin/false"] }, { size: 1 });
    await sleep(1000);
    // After 40, 80, 160, 320 ms and so on, however fast they die.
    expect((await count()) - before - 1).toBeLessThanOrEqual(5);
    await pool.close();
  });

  test("hands out one whose program is up before an older one that is still being started", async () => {
    const gate = join(runDir, "gate");
    const path = process.env.PATH;
    mkdirSync(join(runDir, "slow"));
    // The first runtime to come by takes its time.
    const lines = [
      "#!/bin/sh",
      `if [ "$1" != --version ] && mkdir ${gate} 2>/dev/null; then sleep 5; fi`,
      `exec ${findExecutable("crun")} "$@"`,
    ];
    writeFileSync(join(runDir, "slow/crun"), lines.join("\n"), { mode: 0o755 });
    process.env.PATH = `${join(runDir, "slow")}:${path}`;
    try {
      const pool = new SandboxPool(host, { tier: "container", argv: ["/bin/cat"], giveUp }, { size: 2 });
      for (let tries = 0; tries < 200 && pool.warm < 1; tries++) await sleep(20);
      expect(pool.warm).toBe(1);
      const box = await pool.take();
      expect(box.programUp).toBe(true);
      box.kill("seen");
      await Promise.all([box.ended, pool.close()]);
    } finally {
      process.env.PATH = path;
      for (const name of ["slow", "gate"]) rmSync(join(runDir, name), { recursive: true, force: true });
    }
  });
});
