/**
 * A container engine for tests: Debian's docker.io, started without a bridge or packet filters, with folders and a socket of
 * its own, so that it touches no engine that is there already. Needs root; dies with the process that started it.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { removeTree } from "../cgroup.ts";
import { findExecutable } from "../runtimes.ts";

/** Whether one can be started here at all. */
export const canStartEngine = process.getuid?.() === 0 && findExecutable("dockerd") !== undefined;

const START_MS = 20_000;

export interface TestEngine {
  /** For DOCKER_HOST. */
  readonly address: string;
  readonly docker: Docker;
  /** The control group, in every hierarchy, below which it makes those of its containers. */
  readonly group: string;
  stop(): Promise<void>;
  /** By SIGKILL, as a crash would; its containers go too, and then its folders. */
  kill(): Promise<void>;
}

/**
 * `far`: as if on another machine: in a process namespace of its own, and with nothing but its own folder below /tmp. Throws
 * an Error with the end of the engine's log if it does not come up.
 */
export async function startTestEngine(far = false): Promise<TestEngine> {
  // Short: a socket's path has at most 107 bytes, and containerd makes some below.
  const dir = mkdtempSync(join(tmpdir(), "lanista-engine-"));
  const socket = join(dir, "docker.sock");
  const log = join(dir, "log");
  const group = basename(dir);
  const flags = [
    "--bridge=none --iptables=false --ip6tables=false --exec-opt native.cgroupdriver=cgroupfs",
    `--cgroup-parent=/${group}`,
    `--data-root ${dir}/data --exec-root ${dir}/exec --pidfile ${dir}/pid -H unix://${socket}`,
  ].join(" ");
  // Its folder is kept in view of the new /tmp.
  const hide = `mkdir ${dir}/tmp && mount -t tmpfs none ${dir}/tmp && mkdir ${dir}/tmp/${basename(dir)} && mount --rbind ${dir} ${dir}/tmp/${basename(dir)} && mount --move ${dir}/tmp /tmp && `;
  const away = far ? ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"] : [];
  const script = `${far ? hide : ""}exec dockerd ${flags} >>${log} 2>&1`;
  const child = spawn("setpriv", ["--pdeathsig", far ? "KILL" : "TERM", ...away, "sh", "-c", script], {
    stdio: "ignore",
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    detached: true,
  });
  const docker = new Docker({ socketPath: socket });
  const began = performance.now();
  for (;;) {
    try {
      await docker.ping();
      break;
    } catch (error) {
      if (child.exitCode !== null || performance.now() - began > START_MS) {
        const words = existsSync(log) ? readFileSync(log, "utf8").slice(-2000) : "";
        await stop(child, dir, "SIGKILL");
        throw new Error(`the test engine did not start: ${words}`, { cause: error });
      }
      await sleep(50);
    }
  }
  return {
    address: `unix://${socket}`,
    docker,
    group,
    stop: () => stop(child, dir, far ? "SIGKILL" : "SIGTERM"),
    kill: () => stop(child, dir, "SIGKILL"),
  };
}

async function stop(child: ChildProcess, dir: string, by: NodeJS.Signals): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(by);
    await gone;
  }
  // Of an engine that was killed, the parents of its containers live on.
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`${dir}/`)) process.kill(Number(pid), "SIGKILL");
    } catch {
      // Gone meanwhile.
    }
  // It leaves some of its own mounts.
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n").reverse()) {
    const target = line.split(" ")[4];
    if (target?.startsWith(`${dir}/`)) execFileSync("umount", ["-l", target]);
  }
  for (const mount of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const target = mount.split(" ")[4];
    if (/ - cgroup2? /.test(mount) && target !== undefined) await removeTree(join(target, basename(dir)));
  }
  rmSync(dir, { recursive: true, force: true });
}
