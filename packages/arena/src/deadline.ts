import type { ClockSamples, Sample } from "./clock-samples.ts";
import type { HostClock } from "./host-clock.ts";
import { starvedMs } from "./starvation.ts";

/** A deadline is put off until so many times the answer's allowance have passed, and at least so long. */
const MAX_STRETCH = 10;
const MAX_STRETCH_MS = 30_000;
const LEAST_EXTENSION_MS = 10;
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface DeadlineParts {
  readonly host: HostClock;
  readonly samples: ClockSamples;
  readonly allowanceMs: number;
  /** The time is over, and it was the agent's. */
  readonly onLate: () => void;
  /** The time is over many times, and the host kept the agent from running. */
  readonly onStarved: (detail: string) => void;
}

/**
 * The time for one answer. When it seems to be over, what the host took of it is worked out and given back, again and again
 * up to a bound; and before it is called over, what has arrived is read.
 */
export class Deadline {
  readonly allowanceMs: number;
  readonly #parts: DeadlineParts;
  readonly #startedAt: number;
  readonly #since: Sample;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(parts: DeadlineParts) {
    this.#parts = parts;
    this.allowanceMs = parts.allowanceMs;
    this.#startedAt = parts.host.now();
    this.#since = parts.samples.recent();
    this.#arm(parts.allowanceMs);
  }

  get elapsedMs(): number {
    return this.#parts.host.now() - this.#startedAt;
  }

  /** What counts against the agent of the time until now, when its answer has just been read. */
  get usedMs(): number {
    return Math.max(0, this.elapsedMs - this.#starvedMs() - this.#parts.host.stallMs());
  }

  /** Nothing is called after this. */
  clear(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#passed(), Math.min(Math.max(1, Math.ceil(ms)), MAX_TIMER_MS));
  }

  #starvedMs(): number {
    const to = this.#parts.samples.now();
    return Math.min(starvedMs(this.#since.clocks, to.clocks, to.at - this.#since.at), to.at - this.#startedAt);
  }

  #passed(): void {
    if (this.#over) return;
    const starved = this.#starvedMs();
    const elapsed = this.elapsedMs;
    const left = this.allowanceMs + starved - elapsed;
    if (left <= 1) this.#readPending(3);
    else if (elapsed <= Math.max(MAX_STRETCH * this.allowanceMs, MAX_STRETCH_MS))
      this.#arm(Math.max(left, LEAST_EXTENSION_MS));
    else {
      const [ms, taken] = [Math.round(elapsed), Math.round(starved)];
      this.#parts.onStarved(
        `the host kept the agent from running: no answer after ${ms} ms, of which ${taken} ms were the host's`,
      );
    }
  }

  /** Lets the event loop read what has arrived: timers run before its reading, immediates after it. */
  #readPending(rounds: number): void {
    if (this.#over) return;
    if (rounds === 0) this.#parts.onLate();
    else setImmediate(() => this.#readPending(rounds - 1));
  }
}
