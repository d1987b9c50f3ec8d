/**
 * The worker's line to the server: made again whenever it breaks, taken for dead when nothing comes down it. Jobs are bound to
 * leases, not to the line: while it is away they go on.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AttendResponse_Welcome, WorkerHelloSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import type { Logger } from "pino";
import { Backoff } from "./backoff.ts";
import type { Wire } from "./wire.ts";

/** Until the server has said how long its silence may last. */
const FIRST_SILENT_MS = 15_000;
const BACKOFF_MOST_MS = 5000;

export interface Commands {
  welcome(welcome: AttendResponse_Welcome): void;
  wake(): void;
  cancel(job: { jobId: string; fence: bigint }): void;
  drain(drain: boolean): void;
}

export class Attendance {
  readonly #wire: Wire;
  readonly #hello: () => MessageInitShape<typeof WorkerHelloSchema>;
  readonly #commands: Commands;
  readonly #log: Logger;
  readonly #backoff = new Backoff(BACKOFF_MOST_MS);
  #line: AbortController | undefined;
  #up = false;
  #welcomed = false;

  constructor(wire: Wire, hello: () => MessageInitShape<typeof WorkerHelloSchema>, commands: Commands, log: Logger) {
    this.#wire = wire;
    this.#hello = hello;
    this.#commands = commands;
    this.#log = log;
  }

  /** The server has said welcome on a line that still stands. */
  get up(): boolean {
    return this.#up;
  }

  /** The server has said welcome, on this line or one before. */
  get welcomed(): boolean {
    return this.#welcomed;
  }

  /** Breaks the line: it is made anew, with a new hello. */
  again(): void {
    this.#line?.abort();
  }

  /** Until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#attend(signal);
      this.#up = false;
      if (!signal.aborted) await this.#backoff.wait(signal);
    }
  }

  async #attend(signal: AbortSignal): Promise<void> {
    const line = new AbortController();
    this.#line = line;
    let silentMs = FIRST_SILENT_MS;
    const dead = (): void => {
      this.#log.warn(`no word from the server for ${silentMs / 1000} s: calling again`);
      line.abort();
    };
    let timer = setTimeout(dead, silentMs);
    try {
      for await (const { command } of this.#wire.attend(this.#hello(), AbortSignal.any([signal, line.signal]))) {
        if (command.case === "welcome") {
          if (command.value.silentSeconds > 0) silentMs = command.value.silentSeconds * 1000;
          if (!this.#up) this.#log.info("the server knows this worker");
          this.#up = true;
          this.#welcomed = true;
          this.#backoff.reset();
          this.#commands.welcome(command.value);
        } else if (command.case === "wake") this.#commands.wake();
        else if (command.case === "cancel") this.#commands.cancel(command.value);
        else if (command.case === "drain") this.#commands.drain(command.value.drain);
        clearTimeout(timer);
        timer = setTimeout(dead, silentMs);
      }
      if (!signal.aborted) this.#log.info("the server ended the line: calling again");
    } catch (error) {
      if (!signal.aborted && !line.signal.aborted) this.#wire.failed("attend", error);
    } finally {
      clearTimeout(timer);
    }
  }
}
