/**
 * The tier `none`: a process of this user's, with no walls at all. For people who run their own code on their own machine.
 * Wall time and output are bounded; a parent-death signal is set where setpriv is there. Mounts become paths: words of
 * argv that lie below a mount's target are rewritten to its source.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { signal } from "./cgroup.ts";
import type { Release } from "./left-boxes.ts";
import { type Child, exitCause, FirstCause, outputBytes, quietStreams, timerMs } from "./program.ts";
import { anyRunnable, RunDelay } from "./run-delay.ts";
import { findExecutable } from "./runtimes.ts";
import type { Cause, Clocks, Limits, Sandbox, SandboxEnd, SandboxSpec, SandboxStamp } from "./types.ts";

const WATCH_MS = 25;
const TICK_MS = 10;

export interface BareParts {
  readonly id: string;
  readonly dir: string;
  readonly spec: SandboxSpec;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly stamp: SandboxStamp;
  /** `left`: what tries again to remove what could not be removed. */
  readonly onEnded: (left?: Release) => void;
}

export class BareProcess implements Sandbox {
  readonly id: string;
  readonly stamp: SandboxStamp;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly agentDir: string;
  readonly agentPath: string;
  readonly ended: Promise<SandboxEnd>;
  readonly #child: Child;
  readonly #limits: Limits;
  readonly #cause = new FirstCause();
  readonly #runDelay = new RunDelay();
  readonly #watch: NodeJS.Timeout;
  #wall: NodeJS.Timeout;
  #startedMs = performance.now();
  #cpuMs = 0;
  #peakBytes = 0;
  #over = false;
  /** What the process is before it becomes the program: the file of setpriv, where that is there. */
  readonly #before: string | undefined;
  #up = false;

  constructor(parts: BareParts) {
    this.id = parts.id;
    this.stamp = parts.stamp;
    this.agentDir = join(parts.dir, "agent");
    this.agentPath = this.agentDir;
    this.#limits = parts.limits;
    mkdirSync(this.agentDir, { recursive: true });
    const words = parts.spec.argv.map((word) =>
      rewrite(word, [...(parts.spec.mounts ?? []), { source: this.agentDir, target: "/agent" }]),
    );
    const setpriv = findExecutable("setpriv");
    this.#before = setpriv === undefined ? undefined : fileOf(setpriv);
    const argv = setpriv === undefined ? words : [setpriv, "--pdeathsig", "KILL", ...words];
    this.#child = spawn(argv[0]!, argv.slice(1), {
      cwd: parts.spec.cwd ?? parts.dir,
      env: { ...parts.env, PATH: process.env.PATH, TMPDIR: parts.dir, HOME: parts.dir, ...parts.spec.env },
      stdio: ["pipe", "pipe", "pipe"],
      // A process group of its own, so that a kill takes the children too.
      detached: true,
    }) as Child;
    this.stdin = this.#child.stdin;
    this.stdout = this.#child.stdout;
    this.stderr = this.#child.stderr;
    quietStreams(this.#child);
    this.#wall = setTimeout(() => this.#end({ kind: "wallTime" }), timerMs(this.#limits.wallSeconds));
    this.#watch = setInterval(() => {
      this.#measure();
      void this.programUp;
      if (outputBytes(this.#child) > this.#limits.outputBytes) this.#end({ kind: "output" });
    }, WATCH_MS);
    this.ended = new Promise((resolve) => {
      const finish = async (cause: Cause): Promise<void> => {
        this.#over = true;
        if (outputBytes(this.#child) > this.#limits.outputBytes) this.#cause.set({ kind: "output" });
        this.#cause.set(cause);
        this.#kill();
        const wallSeconds = (performance.now() - this.#startedMs) / 1000;
        const release = (): Promise<void> => rm(parts.dir, { recursive: true, force: true });
        const left = await release().then(
          () => undefined,
          () => release,
        );
        parts.onEnded(left);
        resolve({
          cause: this.#cause.get()!,
          usage: {
            cpuSeconds: this.#cpuMs / 1000,
            peakMemoryBytes: this.#peakBytes,
            wallSeconds,
            outputBytes: outputBytes(this.#child),
          },
          stamp: parts.stamp,
        });
      };
      const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number as number, name]));
      this.#child.once(
        "exit",
        (code, by) =>
          void finish(code === null ? { kind: "signal", signal: by! } : exitCause(code, (n) => names.get(n))),
      );
      this.#child.once("error", (error) => void finish({ kind: "runtimeFault", detail: error.message }));
    });
  }

  get programUp(): boolean {
    if (!this.#up) {
      const now = fileOf(`/proc/${this.#child.pid}/exe`);
      this.#up = now !== undefined && now !== this.#before;
    }
    return this.#up;
  }

  get over(): boolean {
    return this.#over;
  }

  restartWallClock(): void {
    clearTimeout(this.#wall);
    this.#startedMs = performance.now();
    if (this.#cause.get() === undefined)
      this.#wall = setTimeout(() => this.#end({ kind: "wallTime" }), timerMs(this.#limits.wallSeconds));
  }

  kill(reason: string): void {
    this.#end({ kind: "killed", reason });
  }

  cpuMs(): number {
    this.#measure();
    return this.#cpuMs;
  }

  /** The main process alone: nobody accounts for its children here. */
  clocks(): Clocks {
    const pid = this.#child.pid;
    return { cpuMs: this.cpuMs(), throttledMs: 0, runDelayMs: pid === undefined ? 0 : this.#runDelay.update([pid]) };
  }

  runnable(): boolean {
    const pid = this.#child.pid;
    return pid !== undefined && anyRunnable([pid]);
  }

  freeze(): void {
    this.#signal("SIGSTOP");
  }

  thaw(): void {
    this.#signal("SIGCONT");
  }

  #measure(): void {
    try {
      const text = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      this.#cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
      this.#peakBytes = Math.max(this.#peakBytes, Number(fields[21]) * 4096);
    } catch {
      // Gone, or a system without /proc: the last figures stand.
    }
  }

  #end(cause: Cause): void {
    if (!this.#cause.set(cause)) return;
    this.#over = true;
    this.#kill();
  }

  #kill(): void {
    clearInterval(this.#watch);
    clearTimeout(this.#wall);
    this.#signal("SIGKILL");
  }

  /** To the whole process group, whose id stays taken while a member lives. */
  #signal(name: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) signal(-this.#child.pid, name);
  }
}

/** The same for the same file, by whatever name; undefined if it cannot be looked at. */
function fileOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function rewrite(word: string, mounts: readonly { readonly source: string; readonly target: string }[]): string {
  for (const { source, target } of mounts)
    if (word === target || word.startsWith(`${target}/`)) return source + word.slice(target.length);
  return word;
}
