/** Takes jobs while there is room: when the server says that there may be some, when a place is free, and every few seconds. */
import type { Logger } from "pino";
import type { ResourcesRow } from "../db/types.ts";
import { Backoff, pause } from "./backoff.ts";
import type { JobsAtHand } from "./jobs-at-hand.ts";
import { SignalFlag } from "./signal-flag.ts";
import type { Wire } from "./wire.ts";
import { wireResources } from "./wire-resources.ts";

const CALL_MS = 15_000;
/** Nobody is told of everything: a limit of somebody else's that was reached may not be by now. */
const ASK_EVERY_MS = 3000;
const BACKOFF_MOST_MS = 5000;

export interface LeaseParts {
  readonly wire: Wire;
  readonly jobs: JobsAtHand;
  readonly log: Logger;
  readonly concurrency: number;
  /** Whether jobs may be taken at all, at the moment. */
  readonly open: () => boolean;
  readonly free: () => Promise<Required<ResourcesRow>>;
  /** The server does not know this worker. */
  readonly onUnknown: () => void;
}

export class Leases {
  readonly #parts: LeaseParts;
  readonly #flag = new SignalFlag();
  readonly #backoff = new Backoff(BACKOFF_MOST_MS);
  #asking: Promise<boolean> = Promise.resolve(false);

  constructor(parts: LeaseParts) {
    this.#parts = parts;
  }

  /** There may be something to take. */
  wake(): void {
    this.#flag.raise();
  }

  /** When the call that may be under way has brought what it brings, or the time is over. */
  async settled(ms: number): Promise<void> {
    const patience = new AbortController();
    await Promise.race([this.#asking, pause(ms, patience.signal)]);
    patience.abort();
  }

  /** Until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const slots = this.#slots();
      const asked = slots > 0 && this.#parts.open();
      if (asked) this.#asking = this.#lease(slots, signal);
      const full = asked && (await this.#asking);
      // After as many as were asked for there may be more.
      if (!full || this.#slots() === 0) await this.#flag.wait(ASK_EVERY_MS * (0.75 + Math.random() / 2), signal);
    }
  }

  #slots(): number {
    const { jobs, concurrency } = this.#parts;
    // A server that takes no reports gets no more jobs done.
    return jobs.reporting > 2 * concurrency ? 0 : concurrency - jobs.running;
  }

  async #lease(slots: number, signal: AbortSignal): Promise<boolean> {
    const { wire, jobs, open, free, onUnknown } = this.#parts;
    try {
      const request = { workerId: wire.workerId, slots, free: wireResources(await free()) };
      const leased = await wire.lease(request, { signal, timeoutMs: CALL_MS });
      this.#backoff.reset();
      for (const job of leased) jobs.start(job);
      return leased.length >= slots && open();
    } catch (error) {
      if (signal.aborted) return false;
      if (wire.failed("lease", error).code === "not_found") onUnknown();
      await this.#backoff.wait(signal);
      return false;
    }
  }
}
