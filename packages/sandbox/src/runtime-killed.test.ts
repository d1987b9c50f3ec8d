/** A runtime that is killed from outside is our fault, whatever its launcher makes of it; and nobody can pretend it was. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cgroupLayout } from "./cgroup-layout.ts";
import { unenforceable } from "./enforceable.ts";
import { SandboxHost } from "./host.ts";
import { findExecutable, type OciRuntime } from "./runtimes.ts";
import type { Sandbox, SandboxEnd } from "./types.ts";

let dir: string;
let host: SandboxHost;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "lanista-killed-"));
  host = await SandboxHost.open({ runDir: join(dir, "run") });
});
afterAll(async () => {
  await host.close();
  rmSync(dir, { recursive: true, force: true });
});

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

/** The process that became the runtime: the one child of our `unshare`. */
function runtimeOf(): number | undefined {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const parent = /^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
    if (parent !== String(process.pid) || !read(`/proc/${pid}/comm`).startsWith("unshare")) continue;
    const [child] = read(`/proc/${pid}/task/${pid}/children`).split(" ");
    if (child !== undefined && child !== "") return Number(child);
  }
  return undefined;
}

function start(runtime: OciRuntime, script: string): Promise<Sandbox> {
  return host.start({
    tier: runtime === "runsc" ? "gvisor" : "container",
    runtime,
    argv: ["/bin/sh", "-c", script],
    giveUp: [...unenforceable(runtime, cgroupLayout(), process.getuid?.() !== 0).keys()],
  });
}

async function endOf(box: Sandbox): Promise<SandboxEnd> {
  box.stdout.resume();
  box.stderr.resume();
  return await box.ended;
}

describe.each(["crun", "runc", "runsc"] as const)("%s", (runtime) => {
  const there = findExecutable(runtime) !== undefined;

  test.skipIf(!there)("killed while its program runs", async () => {
    const box = await start(runtime, "echo up; sleep 60");
    await new Promise((resolve) => box.stdout.once("data", resolve));
    process.kill(runtimeOf()!, "SIGKILL");
    expect((await endOf(box)).cause).toMatchObject({ kind: "runtimeFault" });
  });

  test.skipIf(!there)("not killed, though its program says so and ends as if", async () => {
    const words = "unshare: sigprocmask unblock failed: Invalid argument";
    const box = await start(runtime, `echo '${words}' >&2; exit 1`);
    expect((await endOf(box)).cause).toEqual({ kind: "exit", code: 1 });
  });
});

test.skipIf(findExecutable("crun") === undefined)("killed before its program runs", async () => {
  for (let delay = 0; delay < 30; delay += 3) {
    const box = await start("crun", "sleep 60");
    await new Promise((resolve) => setTimeout(resolve, delay));
    const pid = runtimeOf();
    if (pid === undefined) box.kill("its launcher has not come that far");
    else process.kill(pid, "SIGKILL");
    expect((await endOf(box)).cause.kind, `after ${delay} ms`).toBe(pid === undefined ? "killed" : "runtimeFault");
  }
});
