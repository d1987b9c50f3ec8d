/** What a worker sees of itself, for the server's metrics; what of it is its host's to say, the workshop adds. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { StartPhase } from "@lanista/sandbox/types";
import { StepCounts, type StepTimes } from "../ops/step-times.ts";

/** Starts between two heartbeats that are told of one by one. */
const MOST_STARTS = 1024;

export interface Start {
  readonly tier: string;
  /** `ready`: its program has said its first word. */
  readonly phase: StartPhase | "ready";
  /** From being asked for to the phase's end. */
  readonly milliseconds: number;
}

export interface Reading {
  readonly eventLoopLagMs: number;
  readonly starts: Start[];
  readonly steps: StepTimes[];
}

export class Meter {
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  readonly #steps = new StepCounts();
  #starts: Start[] = [];

  constructor() {
    this.#delay.enable();
  }

  /** A phase of a box's start is over. */
  started(start: Start): void {
    if (this.#starts.length < MOST_STARTS) this.#starts.push(start);
  }

  stepped(env: string, milliseconds: number): void {
    this.#steps.add(env, milliseconds);
  }

  /** What was since the last call. */
  read(): Reading {
    const starts = this.#starts;
    this.#starts = [];
    const eventLoopLagMs = this.#delay.count > 0 ? this.#delay.percentile(99) / 1e6 : 0;
    this.#delay.reset();
    return { eventLoopLagMs, starts, steps: this.#steps.take() };
  }

  close(): void {
    this.#delay.disable();
  }
}
