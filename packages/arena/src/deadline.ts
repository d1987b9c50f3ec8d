import type { ClockSamples, Sample } from "./clock-samples.ts";
import type { HostClock } from "./host-clock.ts";
import { starvedMs } from "./starvation.ts";

/** A deadline is put off until so many times the answer's allowance have passed, and at least so long. */
const MAX_STRETCH = 10;
const MAX_STRETCH_MS = 30_000;
/**
 * In an extension one looks at the agent every so often, at random so that nobody can wake in step with the looks; an
 * agent found ready to run in less than half of so many looks was asleep of its own will, whatever the books say.
 */
const LOOK_MS = { least: 5, most: 15 } as const;
const TELLING_LOOKS = 20;
/** How soon one looks again at an agent that stands ready to run when its time is over. */
const LOOK_AGAIN_MS = 5;
/** Progress of a clock that says: it has run since, so its wait is in the books. In milliseconds. */
const PROGRESS_MS = 0.2;
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface DeadlineParts {
  readonly host: HostClock;
  readonly samples: ClockSamples;
  readonly allowanceMs: number;
  /** Whether a task of the agent runs or stands ready to run. */
  readonly isReady: () => boolean;
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
  /** The reading at which it was found ready to run, with its time over. */
  #foundReady: Sample | undefined;
  /** In the extension. */
  readonly #looks = { all: 0, ready: 0 };

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

  #starvedMs(to: Sample = this.#parts.samples.now()): number {
    return Math.min(starvedMs(this.#since.clocks, to.clocks, to.at - this.#since.at), to.at - this.#startedAt);
  }

  #passed(): void {
    if (this.#over) return;
    const now = this.#parts.samples.now();
    const starved = this.#starvedMs(now);
    // Until that reading, and not until now: between the two this process itself may have stood waiting.
    const elapsed = now.at - this.#startedAt;
    const left = this.allowanceMs + starved - elapsed;
    const over = left <= 1;
    if ((over && !this.#isKeptWaiting(now)) || this.#isAsleep()) this.#readPending(3);
    else if (elapsed > this.#longestMs) {
      const [ms, taken] = [Math.round(elapsed), Math.round(starved)];
      this.#parts.onStarved(
        `the host kept the agent from running: no answer after ${ms} ms, of which ${taken} ms were the host's`,
      );
    } else if (over) this.#arm(LOOK_AGAIN_MS);
    else {
      this.#foundReady = undefined;
      this.#arm(Math.min(left, LOOK_MS.least + Math.random() * (LOOK_MS.most - LOOK_MS.least)));
    }
  }

  /**
   * Looks once. The books add up the waits of all its tasks, so a herd that wakes together, each for a moment, earns waits
   * for sleeping; but it is not found ready. One that is ready half the time on an idle host runs half the time, and then
   * the other bound of the books, wall time without CPU time, gives it twice its allowance at the most.
   */
  #isAsleep(): boolean {
    this.#looks.all++;
    if (this.#parts.isReady()) this.#looks.ready++;
    return this.#looks.all >= TELLING_LOOKS && this.#looks.ready * 2 < this.#looks.all;
  }

  get #longestMs(): number {
    return Math.max(MAX_STRETCH * this.allowanceMs, MAX_STRETCH_MS);
  }

  /**
   * The kernel books a wait for the CPU only when it is over, so the wait that an agent stands in at this very moment is in
   * no clock. If a task of it is ready to run, it is looked at again until it has run, and then judged by the books; a
   * sleeping agent is not ready, and one that computes is seen to have run at the next look.
   */
  #isKeptWaiting(now: Sample): boolean {
    const before = this.#foundReady;
    if (before !== undefined) {
      const ran = now.clocks.cpuMs - before.clocks.cpuMs + now.clocks.runDelayMs - before.clocks.runDelayMs;
      if (ran > PROGRESS_MS) return false;
    }
    this.#foundReady ??= now;
    return this.#parts.isReady();
  }

  /** Lets the event loop read what has arrived: timers run before its reading, immediates after it. */
  #readPending(rounds: number): void {
    if (this.#over) return;
    if (rounds === 0) this.#parts.onLate();
    else setImmediate(() => this.#readPending(rounds - 1));
  }
}
