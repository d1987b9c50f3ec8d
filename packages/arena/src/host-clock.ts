/**
 * The host's own clock, with a memory of when this process was late.
 *
 * A heartbeat says when the event loop stood still. An answer that is read right after that may have lain in its pipe all
 * the while: it was not late, we were. A standstill before the answer was sent delayed nothing, so only the last counts: it is
 * remembered until the loop has read once what lay there, for timers (the heartbeat) run before its reading, immediates after it.
 */
const BEAT_MS = 20;
/** A timer of an idle process is late by a millisecond or two; that is no standstill. */
const NOISE_MS = 5;

export class HostClock {
  #stall = 0;
  #lastBeat = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      this.#stall = this.#overdue();
      this.#lastBeat = performance.now();
      if (this.#stall > 0) setImmediate(() => (this.#stall = 0));
    }, BEAT_MS);
    this.#timer.unref();
  }

  #overdue(): number {
    const late = performance.now() - this.#lastBeat - BEAT_MS;
    return late > NOISE_MS ? late : 0;
  }

  /** Milliseconds, only ever growing. */
  now(): number {
    return performance.now();
  }

  /** How long the event loop stood still until now, in milliseconds; 0 if it has gone on since. */
  stallMs(): number {
    return this.#overdue() + this.#stall;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
