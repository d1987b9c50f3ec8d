/** Looks at the machine every few seconds, and says whether jobs may be taken. */
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

  /** The floors of the queues, as the server says they are. */
  set(floors: readonly Floor[]): void {
    this.#floors = [this.#own, ...floors];
  }

  /** Until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await pause(EVERY_MS, signal);
    }
  }

  async look(): Promise<void> {
    const before = this.#reason;
    this.#reason = pauseReason(this.#floors, await this.#machine.free(), this.#machine.total, before !== "");
    if ((before === "") === (this.#reason === "")) return;
    this.#log.warn(this.#reason === "" ? "taking jobs again" : `paused: ${this.#reason}`);
    this.#onChange();
  }
}
