/** A chain that has not come far when its host process dies: its programs have not asked yet to be killed with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cgroupLayout } from "./cgroup-layout.ts";
import { unenforceable } from "./enforceable.ts";
import { removeLeftovers } from "./owners.ts";
import { findExecutable } from "./runtimes.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lanista-launch-"));
  mkdirSync(join(dir, "slow"));
});
afterEach(async () => {
  await removeLeftovers(join(dir, "run"));
  rmSync(dir, { recursive: true, force: true });
});

async function until<T>(look: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 1000; tries++) {
    const seen = look();
    if (seen !== undefined) return seen;
    await sleep(10);
  }
  throw new Error("waited in vain");
}

/** Ids of processes with a word in their command line. */
function processesWith(word: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name) || name === String(process.pid)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, "utf8").includes(word);
    } catch {
      return false;
    }
  });
}

/** Starts a host process whose chain waits in the middle for the file `go`; it has come there when `there` exists. */
function host(): ChildProcess {
  const giveUp = [...unenforceable("crun", cgroupLayout(), process.getuid?.() !== 0).keys()];
  const argv = ["/bin/sleep", "4713"];
  const script = `
    import { SandboxHost } from ${JSON.stringify(join(import.meta.dirname, "host.ts"))};
    const host = await SandboxHost.open({ runDir: ${JSON.stringify(join(dir, "run"))} });
    await host.start(${JSON.stringify({ tier: "container", runtime: "crun", argv, giveUp })});
    process.stdin.once("end", () => host.close()).resume();`;
  return spawn(process.execPath, ["--conditions=lanista-source", "--input-type=module-typescript", "-e", script], {
    env: { ...process.env, PATH: `${join(dir, "slow")}:${process.env.PATH}` },
    stdio: ["pipe", "ignore", "ignore"],
  });
}

const wait = (): string => `touch '${dir}/there'; while ! [ -e '${dir}/go' ]; do sleep 0.01; done`;
const kinds = [
  ["setpriv", (real: string) => `${wait()}\nexec ${real} "$@"`],
  // A child that has not asked yet to be killed with its parent.
  ["unshare", (real: string) => `(${wait()}; exec ${real} "$@") &\nwait`],
] as const;

describe.skipIf(findExecutable("crun") === undefined)("does not outlive its host process, killed within", () => {
  test.each(kinds)("%s", { timeout: 60_000 }, async (name, script) => {
    const lines = `#!/bin/sh\n${script(findExecutable(name)!)}\n`;
    writeFileSync(join(dir, "slow", name), lines, { mode: 0o755 });

    // The same with a host that lives: its program begins.
    const living = host();
    await until(() => (existsSync(join(dir, "there")) ? true : undefined));
    writeFileSync(join(dir, "go"), "");
    await until(() =>
      processesWith("4713").find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("/bin/sleep")),
    );
    const closed = new Promise((resolve) => living.once("exit", resolve));
    living.stdin!.end();
    await closed;
    for (const file of ["there", "go"]) rmSync(join(dir, file));

    const dying = host();
    await until(() => (existsSync(join(dir, "there")) ? true : undefined));
    const gone = new Promise((resolve) => dying.once("exit", resolve));
    dying.kill("SIGKILL");
    await gone;
    writeFileSync(join(dir, "go"), "");
    // Everything of the chain names the folder, but for the program.
    const left = (): string[] => [...processesWith(dir), ...processesWith("4713")];
    // One that is just becoming another program has no command line for a moment.
    for (let tries = 0, none = 0; tries < 500 && none < 30; tries++) {
      none = left().length === 0 ? none + 1 : 0;
      await sleep(10);
    }
    expect(left().map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8"))).toEqual([]);
  });
});
