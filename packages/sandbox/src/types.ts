/** The words of this package: what a caller asks of a sandbox, and what he is told of its end. */
import type { Duplex, Readable, Writable } from "node:stream";

export type Tier = "container" | "gvisor" | "docker" | "none";
export type Runtime = "crun" | "runc" | "runsc" | "docker" | "none";

/** Every limit, complete. What a host cannot enforce is refused unless its name stands in `giveUp`. */
export interface Limits {
  /** CPUs' worth of time the sandbox may use at once, such as 1 or 0.5. */
  readonly cpus: number;
  /** Seconds of CPU time, user and system, of all its processes together. */
  readonly cpuSeconds: number;
  /** Seconds from start to end. */
  readonly wallSeconds: number;
  /** Bytes of memory, with tmpfs and page cache; swap is off. */
  readonly memoryBytes: number;
  /** Processes and threads. */
  readonly pids: number;
  /** Open files of one process. */
  readonly openFiles: number;
  /** Bytes and inodes of the private /tmp. */
  readonly scratchBytes: number;
  readonly scratchInodes: number;
  /** Bytes of the private /dev/shm. */
  readonly shmBytes: number;
  /** Bytes of standard output and standard error together. */
  readonly outputBytes: number;
  /** Bytes of GPU memory, of all its processes on all GPUs together. Absent: not limited. */
  readonly vramBytes?: number;
}

export type LimitName = keyof Limits;
/** What a caller may give up by name where the host cannot enforce it. `uid`: a user id of the sandbox's own. */
export type GiveUp = LimitName | "uid";

/** A host folder shown read-only at the same or another path; never by an inode that another sandbox shares. */
export interface ReadOnlyMount {
  readonly source: string;
  readonly target: string;
}

/** An image to stand in the place of the host's /usr. Of its configuration nothing is used: no command, user or variable. */
export interface RootImage {
  /**
   * Tiers `container` and `gvisor`: an image layout's folder, or an archive of one (`oci-archive`, `docker save`), with
   * ":tag" behind it where it holds several. Tier `docker`: the name or id of an image that the engine has.
   */
  readonly image: string;
}

export interface SandboxSpec {
  readonly tier: Tier;
  /** Default: the tier's first runtime that this host can use. */
  readonly runtime?: Runtime;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly mounts?: readonly ReadOnlyMount[];
  /** Default: the host's /usr. */
  readonly root?: RootImage;
  readonly limits?: Partial<Limits>;
  readonly giveUp?: readonly GiveUp[];
  /** Default: "box". */
  readonly hostname?: string;
  /** Devices by their CDI names, such as "nvidia.com/gpu=0", with what their driver needs. Tier `container` alone. */
  readonly gpus?: readonly string[];
  /** Lets its processes speak TCP with each other, over a loopback of the box's own. Default: no TCP at all. */
  readonly loopback?: boolean;
  /**
   * Lets it lock files as wholes (`flock`). Some inodes are the whole host's: of two boxes with this each can signal to the other,
   * so it is not for agents. Default: locks are refused.
   */
  readonly locks?: boolean;
  /**
   * Opens one more way between host and program, for both directions: descriptor 3. Under `crun` and `runc` alone; elsewhere the
   * box has none. Default: none.
   */
  readonly channel?: boolean;
}

/**
 * What the host knows of a box's start, each by its end. `bundle`: its image, folder, control groups and configuration are
 * there, and the runtime is called. `launch`: the runtime has done its part, and the box stands (looked for every 25 ms; by
 * the tier `docker` the engine says it, and no `bundle`; the tier `none` has nothing to launch).
 */
export type StartPhase = "bundle" | "launch";

/** The first cause of an end; every other flag derives from it. */
export type Cause =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "wallTime" }
  | { readonly kind: "cpuTime" }
  | { readonly kind: "memory" }
  | { readonly kind: "pids" }
  | { readonly kind: "output" }
  | { readonly kind: "scratch" }
  | { readonly kind: "vram" }
  /** Killed by the caller, with his reason. */
  | { readonly kind: "killed"; readonly reason: string }
  /** Ours: the runtime failed while no limit's counter had moved. */
  | { readonly kind: "runtimeFault"; readonly detail: string };

export interface Usage {
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
  readonly wallSeconds: number;
  readonly outputBytes: number;
  /** Of GPU memory, where it was given GPUs and NVML was asked. */
  readonly peakVramBytes?: number;
}

/** What every result is stamped with. */
export interface SandboxStamp {
  readonly tier: Tier;
  readonly runtime: Runtime;
  readonly runtimeVersion: string;
  readonly kernel: string;
  readonly rootless: boolean;
  readonly cgroup: "v1" | "hybrid" | "v2" | "none";
  readonly limits: Limits;
  readonly gaveUp: readonly GiveUp[];
  /** The image that was the root, by the digest of its manifest (tier `docker`: its id); absent for the host's /usr. */
  readonly root?: { readonly digest: string };
  /** The devices that it was given, and the vendor's hooks that were not run; absent where there were none. */
  readonly gpus?: { readonly devices: readonly string[]; readonly hooksLeftOut: readonly string[] };
}

export interface SandboxEnd {
  readonly cause: Cause;
  readonly usage: Usage;
  readonly stamp: SandboxStamp;
}

/** A reading of the clocks that matter when one asks why an answer is late. All in milliseconds, all only ever growing. */
export interface Clocks {
  /** CPU time used by all processes of the sandbox. */
  readonly cpuMs: number;
  /** Time its tasks stood ready to run while others ran, summed over the tasks. */
  readonly runDelayMs: number;
  /** Time it was stopped for having used its own CPU share. */
  readonly throttledMs: number;
}

/**
 * A running sandbox. The streams are the program's own and must be read by the caller, who bounds what he keeps; bytes are
 * counted as they are read, and the sandbox is ended soon after the output limit is passed.
 */
export interface Sandbox {
  readonly id: string;
  readonly stamp: SandboxStamp;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The program's descriptor 3, where it was asked for and could be had. What comes there counts as output. */
  readonly channel?: Duplex;
  /** A host folder that the program sees, read-only, at `agentPath`: what is put there appears inside at once. */
  readonly agentDir: string;
  /** "/agent"; in the tier `none`, which has no root of its own, the host folder itself. */
  readonly agentPath: string;
  /**
   * Whether its program was seen to run, and not only what starts it: what takes long before that is the host's doing. Stays
   * true. The program itself cannot make it false.
   */
  readonly programUp: boolean;
  /** Its program is gone or going, for whatever cause: `ended` will say which, when all is cleared up. */
  readonly over: boolean;
  /** Resolves once, when everything of it is gone (processes, cgroups, folder); never rejects. */
  readonly ended: Promise<SandboxEnd>;
  /** The first cause wins: a kill after the end, or after another cause, changes nothing. */
  kill(reason: string): void;
  clocks(): Clocks;
  /** The first of the clocks alone, read for some microseconds instead of some hundred. */
  cpuMs(): number;
  /** Whether a task of it runs, or stands ready to, at this moment: its present wait is in no clock yet. */
  runnable(): boolean;
  /** Stops and continues every process of it. */
  freeze(): void;
  thaw(): void;
}
