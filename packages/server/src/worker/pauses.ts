/**
 * Looks at the machine every few seconds, and says whether jobs may be taken. None are before the first look, nor after floors
 * have changed until the machine was looked at with these.
 */
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import { pause } from "./backoff.ts";
import { type Floor, pauseReason } from "./floors.ts";
import type { MachineWatch } from "./machine.ts";

const EVERY_MS = 2000;

export class Pauses {
  readonly #machine: MachineWatch;
  readonly #own: Floor;
  readonly #log: Logger;
  readonly #onChange: () => void;
  #floors: readonly Floor[];
  /** Those of the last look. */
  #seen: readonly Floor[] | undefined;
  #reason = "";

  constructor(machine: MachineWatch, own: Floor, log: Logger, onChange: () => void) {
    this.#machine = machine;
    this.#own = own;
    this.#floors = [own];
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Why no jobs are taken; empty where they are. */
  get reason(): string {
    return this.#reason;
  }

  /** Whether jobs may be taken, as far as is known by now. */
  get open(): boolean {
    return this.#seen === this.#floors && this.#reason === "";
  }

  /** The floors of the queues, as the server says they are. Resolves when the machine was looked at with them. */
  async set(floors: readonly Floor[]): Promise<void> {
    const all = [this.#own, ...floors];
    if (isDeepStrictEqual(all, this.#floors) && this.#seen !== undefined) return;
    this.#floors = all;
    await this.look();
  }

  /** Until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await pause(EVERY_MS, signal);
    }
  }

  async look(): Promise<void> {
    const free = await this.#machine.free();
    const before = this.#reason;
    const seen = this.#seen;
    this.#seen = this.#floors;
    this.#reason = pauseReason(this.#floors, free, this.#machine.total, before !== "");
    if ((before === "") === (this.#reason === "")) {
      if (this.#reason === "" && seen !== this.#seen) this.#onChange();
      return;
    }
    this.#log.warn(this.#reason === "" ? "taking jobs again" : `paused: ${this.#reason}`);
    this.#onChange();
  }
}
