/**
 * One running box of the container and gvisor tiers: a child process (the launcher's chain), the box's control groups and
 * folder, and a watch that compares counters with limits. The end has one cause, the first; the order of release is the
 * reverse of the order of making: processes, control groups, folder.
 */
import { existsSync } from "node:fs";
import { constants as os } from "node:os";
import { join } from "node:path";
import type { Duplex, Readable, Writable } from "node:stream";
import { type BoxCgroup, type CgroupReading, removeTree, signal } from "./cgroup.ts";
import { descendants } from "./descendants.ts";
import type { VramMeter } from "./gpu/vram-meter.ts";
import { lastWords } from "./last-words.ts";
import { CHAIN_LOG, LAUNCH_LOG, type LaunchedChild, RUNTIME_LOG } from "./launch.ts";
import type { Release } from "./left-boxes.ts";
import { limitReached } from "./limit-reached.ts";
import { exitCause, FirstCause, outputBytes, quietStreams, timerMs } from "./program.ts";
import { type ProgramSign, ProgramView } from "./program-view.ts";
import { removeBoxFolder } from "./remove-folder.ts";
import { anyRunnable, RunDelay } from "./run-delay.ts";
import { type ScratchPlace, ScratchView } from "./scratch-view.ts";
import { stopAll } from "./stop-all.ts";
import type { Cause, Clocks, Limits, Sandbox, SandboxEnd, SandboxStamp } from "./types.ts";

/** How often counters are compared with limits. A limit is passed by at most what fits in this time. */
const WATCH_MS = 25;

export interface BoxParts {
  readonly id: string;
  readonly child: LaunchedChild;
  readonly cgroup: BoxCgroup;
  /** Groups that the runtime makes for itself, and leaves where it is killed. */
  readonly runtimeGroups: readonly string[];
  readonly dir: string;
  readonly agentDir: string;
  readonly stamp: SandboxStamp;
  readonly limits: Limits;
  readonly scratch: Omit<ScratchPlace, "dir">;
  readonly programSign: ProgramSign;
  /** Where it was given GPUs, and NVML is asked. */
  readonly vram?: VramMeter;
  /** Called once, when the program's own file systems are seen to be there: the runtime has done its part. */
  readonly onUp: () => void;
  /** `left`: what tries again to remove what could not be removed. */
  readonly onEnded: (left?: Release) => void;
}

const signalNames = new Map(Object.entries(os.signals).map(([name, number]) => [number as number, name]));

export class Box implements Sandbox {
  readonly id: string;
  readonly stamp: SandboxStamp;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly channel?: Duplex;
  readonly agentDir: string;
  readonly agentPath = "/agent";
  readonly ended: Promise<SandboxEnd>;
  readonly #parts: BoxParts;
  readonly #cause = new FirstCause();
  readonly #runDelay = new RunDelay();
  readonly #scratch: ScratchView;
  readonly #program: ProgramView;
  readonly #watch: NodeJS.Timeout;
  /** CPU time at the last look, while it is stopped by signals. */
  #still: number | undefined;
  #wall: NodeJS.Timeout;
  #startedMs = performance.now();
  #peakVramBytes = 0;
  /** The chain has ended, or an end was decided on. */
  #over = false;

  constructor(parts: BoxParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.stamp = parts.stamp;
    this.stdin = parts.child.stdin;
    this.stdout = parts.child.stdout;
    this.stderr = parts.child.stderr;
    if (parts.child.wire !== undefined) this.channel = parts.child.wire;
    this.agentDir = parts.agentDir;
    quietStreams(parts.child);
    this.#scratch = new ScratchView(
      { ...parts.scratch, dir: parts.dir },
      () => this.#pids(),
      () => parts.onUp(),
    );
    this.#program = new ProgramView(parts.programSign, () => this.#pids());
    this.#wall = setTimeout(() => this.#end({ kind: "wallTime" }), timerMs(parts.limits.wallSeconds));
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    this.ended = new Promise((resolve) => {
      let finished = false;
      const finish = (code: number | null, by: NodeJS.Signals | null, failure?: Error): void => {
        if (finished) return;
        finished = true;
        this.#over = true;
        this.#finish(code, by, failure).then(resolve);
      };
      parts.child.once("exit", (code, by) => finish(code, by));
      parts.child.once("error", (error) => finish(null, null, error));
    });
  }

  get programUp(): boolean {
    return this.#program.up;
  }

  get over(): boolean {
    // The program's streams close before its runtime and the launcher have noticed.
    return this.#over || this.#program.gone;
  }

  /** Starts the wall clock anew: a warm box's time begins when it is handed out. */
  restartWallClock(): void {
    clearTimeout(this.#wall);
    this.#startedMs = performance.now();
    if (this.#cause.get() === undefined)
      this.#wall = setTimeout(() => this.#end({ kind: "wallTime" }), timerMs(this.#parts.limits.wallSeconds));
  }

  kill(reason: string): void {
    this.#end({ kind: "killed", reason });
  }

  clocks(): Clocks {
    const reading = this.#parts.cgroup.read();
    return {
      cpuMs: reading.cpuMs,
      throttledMs: reading.throttledMs,
      runDelayMs: this.#runDelay.update(this.#parts.cgroup.tids()),
    };
  }

  cpuMs(): number {
    return this.#parts.cgroup.cpuMs();
  }

  runnable(): boolean {
    return anyRunnable(this.#parts.cgroup.tids());
  }

  /**
   * On v1 a task in the freezer would not even die by SIGKILL, and so would outlive a killed host process: there SIGSTOP
   * does it, again until nobody new has appeared. A program that forks faster than it can be stopped is ended.
   */
  freeze(): void {
    if (this.#parts.cgroup.setFrozen(true)) return;
    this.#stop();
    this.#still = this.cpuMs();
  }

  thaw(): void {
    this.#still = undefined;
    if (!this.#parts.cgroup.setFrozen(false)) for (const pid of this.#pids()) signal(pid, "SIGCONT");
  }

  #stop(): void {
    if (!stopAll(() => this.#pids())) this.#end({ kind: "pids" });
  }

  /** gVisor sends on what was stopped before it was itself, and that may take until a busy host gives it its turn. */
  #stopAgain(): void {
    const cpuMs = this.cpuMs();
    if (cpuMs === this.#still) return;
    this.#still = cpuMs;
    this.#stop();
  }

  /** By the control groups; where these were given up, by descent from the launcher, which is left alone. */
  #pids(): number[] {
    const pids = this.#parts.cgroup.pids();
    const { pid } = this.#parts.child;
    return pids.length > 0 || pid === undefined ? pids : descendants(pid).filter((one) => one !== pid);
  }

  #end(cause: Cause): void {
    if (!this.#cause.set(cause)) return;
    this.#over = true;
    this.#kill();
  }

  #kill(): void {
    const { child } = this.#parts;
    child.lifeline.destroy();
    child.wire?.destroy();
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) signal(child.pid, "SIGKILL");
    clearInterval(this.#watch);
    clearTimeout(this.#wall);
  }

  #look(): void {
    this.#program.glance(this.#output() > 0);
    if (this.#still !== undefined) this.#stopAgain();
    const cause = this.#reached(this.#parts.cgroup.read()) ?? this.#vramReached();
    if (cause !== undefined) this.#end(cause);
  }

  /** A limit that cannot be watched any more is not let go by: it ends the box, by our fault. */
  #vramReached(): Cause | undefined {
    const { vram, limits } = this.#parts;
    if (vram === undefined) return undefined;
    this.#peakVramBytes = Math.max(this.#peakVramBytes, vram.bytesOf(this.#pids()));
    if (limits.vramBytes === undefined) return undefined;
    if (this.#peakVramBytes > limits.vramBytes) return { kind: "vram" };
    return vram.problem === undefined
      ? undefined
      : { kind: "runtimeFault", detail: `the GPUs' memory cannot be measured any more: ${vram.problem}` };
  }

  #reached(reading: CgroupReading): Cause | undefined {
    const { limits } = this.#parts;
    return limitReached(limits, reading, {
      outputBytes: this.#output(),
      scratchFull: () => this.#scratch.full(),
    });
  }

  #output(): number {
    const { child } = this.#parts;
    return outputBytes(child) + (child.wire?.bytesRead ?? 0);
  }

  async #finish(code: number | null, by: NodeJS.Signals | null, failure: Error | undefined): Promise<SandboxEnd> {
    const { cgroup, runtimeGroups, dir, stamp, onEnded } = this.#parts;
    const wallSeconds = (performance.now() - this.#startedMs) / 1000;
    const reading = cgroup.read();
    const reached = this.#reached(reading);
    if (reached !== undefined) this.#cause.set(reached);
    this.#cause.set(this.#exit(code, by, failure));
    this.#kill();
    const cause = this.#cause.get()!;
    this.#scratch.close();
    const release = async (): Promise<void> => {
      await cgroup.remove();
      for (const group of runtimeGroups) await removeTree(group);
      await removeBoxFolder(dir);
    };
    try {
      await release();
      onEnded();
    } catch (error) {
      // How it ended stays true. What is left is tried again, and goes when the host closes, or at the next start.
      process.emitWarning(`clearing up after a sandbox: ${(error as Error).message}`, "LanistaWarning");
      onEnded(release);
    }
    return {
      cause,
      usage: {
        cpuSeconds: reading.cpuMs / 1000,
        peakMemoryBytes: reading.peakMemoryBytes,
        wallSeconds,
        outputBytes: this.#output(),
        ...(this.#parts.vram === undefined ? {} : { peakVramBytes: this.#peakVramBytes }),
      },
      stamp,
    };
  }

  /** An end that no limit explains. */
  #exit(code: number | null, by: NodeJS.Signals | null, failure: Error | undefined): Cause {
    if (failure !== undefined)
      return { kind: "runtimeFault", detail: `the launcher did not start: ${failure.message}` };
    const log = (name: string): string => lastWords(join(this.#parts.dir, name));
    const chain = log(CHAIN_LOG);
    // Opened by the launcher's script before anything else: without it, what failed came before any program of the box's.
    if (!existsSync(join(this.#parts.dir, LAUNCH_LOG)))
      return {
        kind: "runtimeFault",
        detail: `the launcher failed before it reached the runtime (${code ?? by}) ${chain}`.trim(),
      };
    if (chain !== "")
      return { kind: "runtimeFault", detail: `the runtime was killed, or its launcher failed: ${chain}` };
    const launch = log(LAUNCH_LOG);
    const runtime = log(RUNTIME_LOG);
    if (launch !== "") return { kind: "runtimeFault", detail: launch };
    if (code !== 0 && /"level":\s*"(error|fatal)"/.test(runtime)) return { kind: "runtimeFault", detail: runtime };
    // The chain passes an exit status on; a signal means that a part of the chain itself was killed, and not by us.
    if (code === null) return { kind: "runtimeFault", detail: `the runtime was killed by ${by}` };
    return exitCause(code, (number) => signalNames.get(number));
  }
}
