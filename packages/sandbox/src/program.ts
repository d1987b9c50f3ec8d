/** What the tiers have in common: a child process, its streams, and the first cause of its end. */
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Cause } from "./types.ts";

export type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** The first cause of an end wins; whatever comes later changes nothing. */
export class FirstCause {
  #cause: Cause | undefined;

  get(): Cause | undefined {
    return this.#cause;
  }

  /** Says whether this was the first. */
  set(cause: Cause): boolean {
    if (this.#cause !== undefined) return false;
    this.#cause = cause;
    return true;
  }
}

/**
 * A program may close its pipes as it likes; writing into them then is no error of ours. Throws where there are no pipes:
 * Node makes none if this process has no descriptors left, and says so later, by an event that ends it if nobody listens.
 */
export function quietStreams(child: Child): void {
  if ((child.stdin as Writable | undefined) === undefined) {
    child.once("error", () => {});
    throw new Error("no process could be started: this one has no file descriptors left for its pipes");
  }
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => stream.destroy());
}

/** Bytes of both outputs that were read so far. */
export function outputBytes(child: Child): number {
  const count = (stream: Readable): number => (stream as Readable & { bytesRead?: number }).bytesRead ?? 0;
  return count(child.stdout) + count(child.stderr);
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function timerMs(seconds: number): number {
  return Math.min(Math.ceil(seconds * 1000), LONGEST_TIMER_MS);
}

/** 128 + n is how a shell, and every OCI runtime, reports signal n. */
export function exitCause(code: number, signalName: (number: number) => string | undefined): Cause {
  const name = code > 128 ? signalName(code - 128) : undefined;
  return name === undefined ? { kind: "exit", code } : { kind: "signal", signal: name };
}
