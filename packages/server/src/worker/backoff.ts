/** Waits between tries: twice as long each time, up to a bound, and never quite the same for two workers. */
import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 100;

export class Backoff {
  readonly #mostMs: number;
  #nextMs = FIRST_MS;

  /** `mostMs`: the longest wait. */
  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  /** It worked: the next wait is the first again. */
  reset(): void {
    this.#nextMs = FIRST_MS;
  }

  /** Returns at once when the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    const ms = this.#nextMs * (0.5 + Math.random());
    this.#nextMs = Math.min(this.#nextMs * 2, this.#mostMs);
    await pause(ms, signal);
  }
}

/** Sleeps; an abort ends it early, without an exception. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
