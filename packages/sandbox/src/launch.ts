/**
 * The command that starts a box. From the outside in:
 *
 *   setpriv --pdeathsig KILL   the kernel kills what follows when the thread that spawned it dies, also by SIGKILL; so a box
 *                              must be started from a thread that lives as long as the host process: the main thread
 *   unshare --pid --mount      a pid namespace and a mount namespace around the runtime: when its first process dies, all in
 *                              it die, daemons included, and every mount goes
 *   sh                         makes sure that we still hold its lifeline, moves itself into the box's control groups, prepares
 *                              mounts, and becomes the runtime
 *   crun | runc | runsc        the OCI runtime
 *
 * The lifeline (descriptor 4) is for the moments before the first two have asked the kernel for these signals: whoever dies
 * then takes nobody along. We are the only ones who hold its other end, which the kernel closes before it tells a
 * process's children of its death; and the shell runs when both have asked.
 *
 * All paths in the script are our own (see host.ts) and hold no quote; the program's own words are in config.json alone.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Child } from "./program.ts";
import type { OciRuntime } from "./runtimes.ts";
import type { Limits } from "./types.ts";

export interface LaunchInput {
  readonly runtime: OciRuntime;
  /** The runtime's executable. */
  readonly executable: string;
  /** The box's folder: the bundle, the runtime's state and logs. */
  readonly dir: string;
  /** The container's id, unlike any other on this host: gVisor names an abstract socket after it. */
  readonly container: string;
  readonly rootless: boolean;
  /** False where a user id of the box's own was given up: then only the user's own id is there inside. */
  readonly ownUid: boolean;
  readonly cgroup: "v1" | "hybrid" | "v2" | "none";
  /** What the launcher writes "0" to. */
  readonly entryFiles: readonly string[];
  readonly limits: Limits;
  /** The folder of the image that is the root, if one is; over it comes `own`, the box's own part. */
  readonly image?: string;
  /** Whether there is a descriptor 5, which becomes the program's 3. */
  readonly channel: boolean;
}

/** What the chain's first programs say of themselves: their standard error, which nothing in the box ever has. */
export const CHAIN_LOG = "chain.log";
export const LAUNCH_LOG = "launch.log";
export const RUNTIME_LOG = "runtime.log";

/** gVisor takes other descriptors than the standard ones in a way of its own, which is not used here. */
export const takesChannel = (runtime: OciRuntime): boolean => runtime !== "runsc";

function runtimeCommand(input: LaunchInput): string[] {
  const { runtime, executable, dir, channel } = input;
  const common = [executable, "--root", join(dir, "state"), "--log", join(dir, RUNTIME_LOG)];
  switch (runtime) {
    case "crun":
      return [
        ...common,
        "--log-format=json",
        "--cgroup-manager=disabled",
        "run",
        ...(channel ? ["--preserve-fds=1"] : []),
        "--bundle",
        dir,
        input.container,
      ];
    case "runc":
      return [
        ...common,
        "--log-format=json",
        "run",
        `--preserve-fds=${channel ? 4 : 3}`,
        "--bundle",
        dir,
        input.container,
      ];
    case "runsc":
      return [
        ...common,
        "--log-format=json",
        "--platform=ptrace",
        "--network=none",
        "--ignore-cgroups",
        // Files appear in /agent after the start: the sentry must not trust its cache.
        "--file-access=shared",
        "--file-access-mounts=shared",
        "--overlay=false",
        ...(input.rootless ? ["--rootless"] : []),
        "run",
        "--bundle",
        dir,
        input.container,
      ];
  }
}

/**
 * runc gives a program pipes of its own and carries every byte between them and ours, by threads that stand outside the
 * box's control groups: on a busy host an answer would lie there, and be called late. So ours are passed as descriptors
 * 3 to 5 as well (6 is the channel), and this shell in the box, which becomes the program, puts them in their places.
 */
export function programArguments(runtime: OciRuntime, argv: readonly string[], channel: boolean): readonly string[] {
  if (runtime !== "runc") return argv;
  const third = channel ? "3<&6 6<&-" : "3<&-";
  return ["/bin/sh", "-c", `exec "$@" <&3 >&4 2>&5 ${third} 4>&- 5>&-`, "sh", ...argv];
}

/**
 * Starts the chain. Its own standard error goes into a file: where its runtime is killed, `unshare` may only say so and end with
 * status 1, as a program of the box's could.
 */
export function spawnChain(words: readonly string[], dir: string, channel: boolean): LaunchedChild {
  const [command, ...args] = words;
  const own = openSync(join(dir, CHAIN_LOG), "a", 0o600);
  try {
    const child = spawn(command!, args, {
      cwd: dir,
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
      stdio: ["pipe", "pipe", own, "pipe", "pipe", ...(channel ? (["pipe"] as const) : [])],
    });
    // Where no pipes could be made there is no list of them either; quietStreams says so.
    const stdio = child.stdio as typeof child.stdio | undefined;
    const lifeline = stdio?.[4] as Socket | undefined;
    lifeline?.on("error", () => {}).resume();
    const wire = (stdio as readonly unknown[] | undefined)?.[5] as Socket | undefined;
    wire?.on("error", () => wire.destroy());
    return Object.assign(child, { stderr: stdio?.[3], lifeline, wire }) as unknown as LaunchedChild;
  } finally {
    closeSync(own);
  }
}

/** Destroyed, the lifeline ends a chain that has not come far enough yet to die with its first process. */
export type LaunchedChild = Child & { readonly lifeline: Socket; readonly wire: Socket | undefined };

const quote = (text: string): string => `'${text}'`;

export function launchCommand(input: LaunchInput): string[] {
  // Descriptor 3 is the program's standard error, 4 the lifeline, 5 the channel if there is one (spawnChain).
  const script: string[] = [`exec 2>>${quote(join(input.dir, LAUNCH_LOG))}`, "set -e", "echo >&4"];
  for (const file of input.entryFiles) script.push(`echo 0 >${quote(file)}`);
  // crun takes a v2 mount below a v1 tree for a set-up it does not support, and gives up; in this namespace it can go.
  if (input.runtime === "crun" && input.cgroup === "hybrid")
    script.push(input.rootless ? "mount -t tmpfs none /sys/fs/cgroup/unified" : "umount /sys/fs/cgroup/unified");
  if (input.runtime === "runsc") {
    // gVisor's own tmpfs is invisible from outside; a tmpfs of the host's is bounded and can be measured.
    const { scratchBytes, scratchInodes, shmBytes } = input.limits;
    script.push(
      `mount -t tmpfs -o nosuid,nodev,mode=1777,size=${scratchBytes},nr_inodes=${scratchInodes} none ${quote(join(input.dir, "scratch"))}`,
      `mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=${shmBytes},nr_inodes=1024 none ${quote(join(input.dir, "shm"))}`,
    );
  }
  if (input.image !== undefined) {
    // Of the box's own, as for every folder of the host's: two boxes over the same image share no inode.
    const root = quote(join(input.dir, "rootfs"));
    const lower = `${join(input.dir, "own")}:${input.image}`;
    script.push(`mount -t overlay -o ${quote(`ro,nosuid,nodev,lowerdir=${lower}`)} overlay ${root}`);
  } else if (input.runtime === "runsc" && input.rootless) {
    // It remounts its root read-only without the flags that the mount below has (a user's /run is nosuid, nodev), and
    // these are locked in a user namespace. On a mount made in here nothing is locked.
    const root = join(input.dir, "rootfs");
    script.push(
      `mount -t tmpfs -o mode=755,size=16m,nr_inodes=1024 none ${quote(join(input.dir, "empty"))}`,
      `cp -a ${quote(`${root}/.`)} ${quote(join(input.dir, "empty"))}`,
      `mount --no-mtab --move ${quote(join(input.dir, "empty"))} ${quote(root)}`,
    );
  }
  const { channel } = input;
  const streams =
    input.runtime === "runc"
      ? `${channel ? "6<&5 " : ""}5>&3 3<&0 4>&1 </dev/null >/dev/null 2>&1`
      : `2>&3 ${channel ? "3<&5 5<&-" : "3>&-"} 4>&-`;
  script.push(`exec ${runtimeCommand(input).map(quote).join(" ")} ${streams}`);
  const user = input.ownUid ? ["--user", "--map-root-user", "--map-auto"] : ["--user", "--map-root-user"];
  const unshare = ["unshare", ...(input.rootless ? user : [])];
  return [
    "setpriv",
    "--pdeathsig",
    "KILL",
    ...unshare,
    "--fork",
    "--pid",
    "--mount",
    "--mount-proc",
    "--kill-child",
    "sh",
    "-c",
    script.join("\n"),
  ];
}
