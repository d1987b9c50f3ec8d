/**
 * A program that is asked and answers at once, while the caller's thread waits: rules are plain functions, and a function
 * cannot wait for a pipe's event. A worker thread holds the pipes; the two threads meet in shared memory.
 */
import { Worker } from "node:worker_threads";
import { ANSWERED, ENDED, LENGTH, type ProgramData, STATUS, WAITING } from "./program-words.ts";

const TEXT_BYTES = 4 * 1024 * 1024;

export class SyncProgram {
  readonly #control = new Int32Array(new SharedArrayBuffer(8));
  readonly #text = new Uint8Array(new SharedArrayBuffer(TEXT_BYTES));
  readonly #worker: Worker;
  readonly #timeoutMs: number;

  constructor(argv: readonly string[], timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    const workerData: ProgramData = { argv, control: this.#control, text: this.#text };
    const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
    this.#worker = new Worker(new URL(`./program-worker${ending}`, import.meta.url), { workerData });
    this.#worker.unref();
  }

  /** Sends one line and gives back the next line of the program. Throws an Error with its last words if it ended. */
  ask(line: string): string {
    Atomics.store(this.#control, STATUS, WAITING);
    this.#worker.postMessage(line);
    if (Atomics.wait(this.#control, STATUS, WAITING, this.#timeoutMs) === "timed-out")
      throw new Error(`no answer within ${this.#timeoutMs / 1000} s`);
    const text = new TextDecoder().decode(this.#text.slice(0, Atomics.load(this.#control, LENGTH)));
    const status = Atomics.load(this.#control, STATUS);
    if (status === ANSWERED) return text;
    throw new Error(status === ENDED ? text : "unreadable answer");
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
