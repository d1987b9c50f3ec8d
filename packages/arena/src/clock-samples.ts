import type { Clocks, Sandbox } from "@lanista/sandbox/types";
import type { HostClock } from "./host-clock.ts";

/** Younger readings serve again: a reading costs a few system calls, and a quick match asks thousands of questions a second. */
const FRESH_MS = 25;

export interface Sample {
  readonly at: number;
  readonly clocks: Clocks;
}

/** Reads a sandbox's clocks, seldom enough to cost nothing, and on after its death with the last values. */
export class ClockSamples {
  readonly #sandbox: Pick<Sandbox, "clocks">;
  readonly #host: HostClock;
  #last: Sample;

  constructor(sandbox: Pick<Sandbox, "clocks">, host: HostClock) {
    this.#sandbox = sandbox;
    this.#host = host;
    this.#last = { at: host.now(), clocks: { cpuMs: 0, runDelayMs: 0, throttledMs: 0 } };
    this.now();
  }

  /** A reading made now. */
  now(): Sample {
    try {
      this.#last = { at: this.#host.now(), clocks: this.#sandbox.clocks() };
    } catch {
      // Its cgroup or process is gone, so its clocks stand still.
      this.#last = { at: this.#host.now(), clocks: this.#last.clocks };
    }
    return this.#last;
  }

  /** A reading that may be some milliseconds old. */
  recent(): Sample {
    return this.#host.now() - this.#last.at < FRESH_MS ? this.#last : this.now();
  }
}
