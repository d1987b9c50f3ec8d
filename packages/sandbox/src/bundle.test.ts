import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cgroupLayout } from "./cgroup-layout.ts";
import { unenforceable } from "./enforceable.ts";
import { SandboxHost } from "./host.ts";
import { findExecutable } from "./runtimes.ts";

const COUNTERS = ["/proc/sys/fs/file-nr", "/proc/loadavg", "/proc/vmstat"];
const rootless = process.getuid?.() !== 0;
const runDir = mkdtempSync(join(tmpdir(), "lanista-counters-"));
let host: SandboxHost;
beforeAll(async () => {
  host = await SandboxHost.open({ runDir });
});
afterAll(async () => {
  await host.close();
  rmSync(runDir, { recursive: true });
});

describe.each(["crun", "runc"] as const)("under %s", (runtime) => {
  test.skipIf(findExecutable(runtime) === undefined)("counters of the whole host cannot be read", async () => {
    const giveUp = [...unenforceable(runtime, cgroupLayout(), rootless).keys()];
    // /proc/uptime shows that the program reads, and that it would have said what it found.
    const argv = ["/bin/sh", "-c", 'for f; do [ -z "$(cat "$f" 2>&-)" ] || echo "$f"; done', "sh", ...COUNTERS];
    const box = await host.start({ tier: "container", runtime, argv: [...argv, "/proc/uptime"], giveUp });
    box.stderr.resume();
    expect(await text(box.stdout)).toBe("/proc/uptime\n");
    expect((await box.ended).cause).toEqual({ kind: "exit", code: 0 });
  });

  test.skipIf(findExecutable(runtime) === undefined)("the least limit of open files leaves room to start", async () => {
    const giveUp = [...unenforceable(runtime, cgroupLayout(), rootless).keys()];
    const box = await host.start({
      tier: "container",
      runtime,
      argv: ["/bin/true"],
      giveUp,
      limits: { openFiles: 32 },
    });
    expect((await box.ended).cause).toEqual({ kind: "exit", code: 0 });
    await expect(
      host.start({ tier: "container", runtime, argv: ["/bin/true"], limits: { openFiles: 31 } }),
    ).rejects.toThrow("openFiles must be an integer of at least 32");
  });
});
