/**
 * The host's own clock, with a memory of when this process was late.
 *
 * A heartbeat says how long the event loop stood still: an answer that lay in its pipe meanwhile was not late, we were.
 */
const BEAT_MS = 20;
/** A timer of an idle process is late by a millisecond or two; counted up over seconds that would be time given away. */
const NOISE_MS = 5;

export class HostClock {
  #lag = 0;
  #lastBeat = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      this.#lag += this.#overdue();
      this.#lastBeat = performance.now();
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

  /** Milliseconds that the event loop stood still since the clock was made; only ever growing. */
  lagMs(): number {
    return this.#lag + this.#overdue();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
