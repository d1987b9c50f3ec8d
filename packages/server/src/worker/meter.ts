/** What a worker sees of itself, for the server's metrics. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Contender } from "@lanista/arena/contender";

/** Starts between two heartbeats that are told of one by one. */
const MOST_STARTS = 256;

export interface Health {
  readonly liveSandboxes: number;
  readonly leakedSandboxes: bigint;
  readonly eventLoopLagMs: number;
  readonly starts: { tier: string; milliseconds: number }[];
}

export class Meter {
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  readonly #onWarning = (warning: Error): void => {
    // The sandbox says so where something of a box could not be removed.
    if (warning.name === "LanistaWarning") this.#leaked++;
  };
  #live = 0;
  #leaked = 0n;
  #starts: { tier: string; milliseconds: number }[] = [];

  constructor() {
    this.#delay.enable();
    process.on("warning", this.#onWarning);
  }

  get live(): number {
    return this.#live;
  }

  /** An agent answered its first line, so many milliseconds after its box was asked for. */
  started(tier: string, milliseconds: number): void {
    if (this.#starts.length < MOST_STARTS) this.#starts.push({ tier, milliseconds });
  }

  /** The same contender, whose boxes are counted. */
  counted(contender: Contender): Contender {
    return {
      ...contender,
      open: async () => {
        const sandbox = await contender.open();
        this.#live++;
        void sandbox.ended.then(() => this.#live--);
        return sandbox;
      },
    };
  }

  /** The starts and the lag since the last call. */
  read(): Health {
    const starts = this.#starts;
    this.#starts = [];
    const p99 = this.#delay.count > 0 ? this.#delay.percentile(99) / 1e6 : 0;
    this.#delay.reset();
    return { liveSandboxes: this.#live, leakedSandboxes: this.#leaked, eventLoopLagMs: p99, starts };
  }

  close(): void {
    this.#delay.disable();
    process.off("warning", this.#onWarning);
  }
}
