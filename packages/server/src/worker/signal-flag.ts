/** A door that a loop waits at: whoever raises it lets the loop go round once, however often it was raised meanwhile. */
import { pause } from "./backoff.ts";

export class SignalFlag {
  #raised = false;
  #waiter: AbortController | undefined;

  raise(): void {
    this.#raised = true;
    this.#waiter?.abort();
  }

  /** Until it is raised, was raised since the last wait, the time is over, or the signal is aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#raised && !signal.aborted) {
      this.#waiter = new AbortController();
      await pause(ms, AbortSignal.any([this.#waiter.signal, signal]));
      this.#waiter = undefined;
    }
    this.#raised = false;
  }
}
