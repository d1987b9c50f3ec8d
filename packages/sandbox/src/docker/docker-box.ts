/**
 * One running box of the tier `docker`: a container of the engine's, attached to, and a watch that compares counters with
 * limits. The first cause of an end wins; after it the container is removed with its volumes, then the folder.
 */
import { constants as os } from "node:os";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { z } from "zod";
import type { CgroupReading } from "../cgroup.ts";
import { signal } from "../cgroup.ts";
import type { Release } from "../left-boxes.ts";
import { limitReached } from "../limit-reached.ts";
import { exitCause, FirstCause, timerMs } from "../program.ts";
import { removeBoxFolder } from "../remove-folder.ts";
import { anyRunnable, RunDelay } from "../run-delay.ts";
import { ScratchView } from "../scratch-view.ts";
import { stopAll } from "../stop-all.ts";
import type { Cause, Clocks, Limits, Sandbox, SandboxEnd, SandboxStamp } from "../types.ts";
import { statusOf } from "./engine.ts";
import type { Meter } from "./meter.ts";
import type { AttachedStreams } from "./streams.ts";

const WATCH_MS = 25;
/** For the last words of a program that has gone, on their way through the engine. */
const LAST_WORDS_MS = 250;
/** After an end, what nobody has read is given up. */
const UNREAD_MS = 30_000;

const Ended = z.object({ StatusCode: z.number().int() });
const State = z.object({ State: z.object({ OOMKilled: z.boolean(), Error: z.string().default("") }) });

export interface DockerBoxParts {
  readonly id: string;
  readonly container: Docker.Container;
  readonly streams: AttachedStreams;
  readonly meter: Meter;
  readonly dir: string;
  readonly agentDir: string;
  readonly stamp: SandboxStamp;
  readonly limits: Limits;
  /** Removes what was made for it beside the container. */
  readonly release: () => Promise<void>;
  /** `left`: what tries again to remove what could not be removed. */
  readonly onEnded: (left?: Release) => void;
}

const signalNames = new Map(Object.entries(os.signals).map(([name, number]) => [number as number, name]));

export class DockerBox implements Sandbox {
  readonly id: string;
  readonly stamp: SandboxStamp;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly agentDir: string;
  readonly agentPath = "/agent";
  readonly ended: Promise<SandboxEnd>;
  /** The engine answers a start when its runtime has let the program go. */
  readonly programUp = true;
  readonly #parts: DockerBoxParts;
  readonly #cause = new FirstCause();
  readonly #runDelay = new RunDelay();
  readonly #scratch: ScratchView;
  readonly #watch: NodeJS.Timeout;
  #wall: NodeJS.Timeout;
  #startedMs = performance.now();
  /** When its last process was seen to be gone: the engine, busy with others, may say so later. */
  #goneMs: number | undefined;
  /** The engine said so, or an end was decided on. */
  #over = false;
  /** Requests that must reach the engine in their order. */
  #orders: Promise<unknown> = Promise.resolve();

  constructor(parts: DockerBoxParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.stamp = parts.stamp;
    this.stdin = parts.streams.stdin;
    this.stdout = parts.streams.stdout;
    this.stderr = parts.streams.stderr;
    this.agentDir = parts.agentDir;
    this.#scratch = new ScratchView({ path: "/tmp", namespaces: 2, dir: parts.dir }, () => parts.meter.pids());
    this.#wall = setTimeout(() => this.#end({ kind: "wallTime" }), timerMs(parts.limits.wallSeconds));
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    this.ended = this.#untilEnd();
  }

  get over(): boolean {
    return this.#over || this.#goneMs !== undefined || this.#isGone();
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
    const { cpuMs, throttledMs } = this.#parts.meter.read();
    return { cpuMs, throttledMs, runDelayMs: this.#runDelay.update(this.#parts.meter.tids()) };
  }

  cpuMs(): number {
    return this.#parts.meter.cpuMs();
  }

  runnable(): boolean {
    return anyRunnable(this.#parts.meter.tids());
  }

  /** At once where its processes are ours to stop; else by way of the engine, some 20 ms later. */
  freeze(): void {
    const { cgroup } = this.#parts.meter;
    if (cgroup === undefined || process.getuid?.() !== 0) this.#order(() => this.#parts.container.pause());
    else if (!cgroup.setFrozen(true) && !stopAll(() => cgroup.pids())) this.#end({ kind: "pids" });
  }

  thaw(): void {
    const { cgroup } = this.#parts.meter;
    if (cgroup === undefined || process.getuid?.() !== 0) this.#order(() => this.#parts.container.unpause());
    else if (!cgroup.setFrozen(false)) for (const pid of cgroup.pids()) signal(pid, "SIGCONT");
  }

  /** What the engine refuses because the box has gone is no error; other ends show in `ended`. */
  #order(request: () => Promise<unknown>): void {
    this.#orders = this.#orders.then(request).catch(() => undefined);
  }

  #end(cause: Cause): void {
    if (!this.#cause.set(cause)) return;
    this.#over = true;
    clearTimeout(this.#wall);
    // The engine lets a paused container go by itself when it kills it.
    this.#parts.container.kill({ signal: "SIGKILL" }).catch(() => undefined);
    this.#killProcesses();
    this.#parts.streams.takeAll();
  }

  /** Where they are ours to kill. */
  #killProcesses(): void {
    if (process.getuid?.() === 0) for (const pid of this.#parts.meter.pids()) signal(pid, "SIGKILL");
  }

  #isGone(): boolean {
    const { meter } = this.#parts;
    return meter.cgroup !== undefined && meter.pids().length === 0;
  }

  #look(): void {
    const { meter, streams } = this.#parts;
    if (this.#isGone()) {
      this.#goneMs ??= performance.now();
      streams.takeAll();
    }
    const cause = this.#cause.get() === undefined ? this.#reached(meter.read()) : undefined;
    if (cause !== undefined) this.#end(cause);
  }

  #reached(reading: CgroupReading): Cause | undefined {
    const { limits, streams } = this.#parts;
    return limitReached(limits, reading, {
      outputBytes: streams.outputBytes,
      scratchFull: () => this.#scratch.full(),
    });
  }

  async #untilEnd(): Promise<SandboxEnd> {
    const { container, streams, meter, stamp } = this.#parts;
    let exit: Cause;
    try {
      const { StatusCode } = Ended.parse(await container.wait());
      exit = exitCause(StatusCode, (number) => signalNames.get(number));
    } catch (error) {
      exit = { kind: "runtimeFault", detail: `the container engine was lost: ${(error as Error).message}` };
      // It may come back and find them; they are not to run on until then.
      this.#killProcesses();
    }
    this.#over = true;
    const wallSeconds = ((this.#goneMs ?? performance.now()) - this.#startedMs) / 1000;
    if (this.#cause.get() === undefined) {
      await Promise.race([streams.ended, sleep(LAST_WORDS_MS)]);
      const state = await this.#stateOf();
      if (state?.OOMKilled) this.#cause.set({ kind: "memory" });
      const reached = this.#reached(meter.read());
      if (reached !== undefined) this.#cause.set(reached);
      if (state !== undefined && state.Error !== "") this.#cause.set({ kind: "runtimeFault", detail: state.Error });
      this.#cause.set(exit);
    }
    clearInterval(this.#watch);
    clearTimeout(this.#wall);
    meter.close();
    this.#scratch.close();
    const left = await this.#release();
    const { cpuMs, peakMemoryBytes } = meter.read();
    this.#parts.onEnded(left);
    return {
      cause: this.#cause.get()!,
      usage: { cpuSeconds: cpuMs / 1000, peakMemoryBytes, wallSeconds, outputBytes: streams.outputBytes },
      stamp,
    };
  }

  async #stateOf(): Promise<z.infer<typeof State>["State"] | undefined> {
    try {
      return State.parse(await this.#parts.container.inspect()).State;
    } catch {
      return undefined;
    }
  }

  async #release(): Promise<Release | undefined> {
    const { container, streams, dir, release } = this.#parts;
    const unread = setTimeout(() => streams.destroy(), UNREAD_MS).unref();
    void streams.ended.then(() => clearTimeout(unread));
    const remove = async (): Promise<void> => {
      await container.remove({ force: true, v: true }).catch((error: unknown) => {
        if (statusOf(error) !== 404) throw error;
      });
      await release();
      await removeBoxFolder(dir);
    };
    try {
      await remove();
      return undefined;
    } catch (error) {
      // How it ended stays true. What is left is tried again, and goes with the guard, or at the next start.
      process.emitWarning(`clearing up after a container: ${(error as Error).message}`, "LanistaWarning");
      return remove;
    }
  }
}
