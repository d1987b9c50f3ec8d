/**
 * Finds CPU time that a seat used while it was not to move.
 *
 * Between two readings of its clocks a seat may use as much CPU as its own turns allow: their wall time, times its CPUs.
 * What is over that was used in others' time. Readings are at least some milliseconds apart, so over many quick moves
 * the sums are compared; a longer turn or wait has a reading at both its ends and is judged by itself.
 *
 * A little is free: an interpreter's garbage collector and compiler threads go on for a moment after the answer.
 */
import type { ClockSamples, Sample } from "./clock-samples.ts";

const FREE_MS = 250;
const FREE_SHARE = 0.02;
/** Where CPU time is only known in ticks of 10 ms, a tick may show in the stretch after the one it was used in. */
const TICK_MS = 20;

export class CpuLedger {
  readonly #samples: ClockSamples;
  readonly #cpus: number;
  #from: Sample;
  #ownMs = 0;
  #turnBegan = -1;
  #free = FREE_MS;
  #charge = 0;
  #unused = 0;

  /** `cpus`: CPUs' worth of time the sandbox may use at once. The seat is not to move at first. */
  constructor(samples: ClockSamples, cpus: number) {
    this.#samples = samples;
    this.#cpus = cpus;
    this.#from = samples.now();
  }

  turnBegins(at: number): void {
    this.#close(at);
    this.#turnBegan = at;
  }

  turnEnds(at: number): void {
    this.#ownMs += at - this.#turnBegan;
    this.#turnBegan = -1;
    this.#close(at);
  }

  #close(at: number): void {
    const to = this.#samples.recent();
    // An older reading would miss the end of this stretch; it is then judged with the next.
    if (to === this.#from || to.at < at - 1) return;
    const used = to.clocks.cpuMs - this.#from.clocks.cpuMs;
    const wait = Math.max(0, to.at - this.#from.at - this.#ownMs);
    const beyond = used - this.#ownMs * this.#cpus - this.#unused;
    this.#unused = Math.min(TICK_MS, Math.max(0, -beyond));
    this.#free += wait * FREE_SHARE;
    if (beyond > 0) {
      const forgiven = Math.min(this.#free, beyond);
      this.#free -= forgiven;
      this.#charge += beyond - forgiven;
    }
    this.#from = to;
    this.#ownMs = 0;
  }

  /** Milliseconds to be charged to the seat, given out once. */
  takeCharge(): number {
    const charge = this.#charge;
    this.#charge = 0;
    return charge;
  }
}
