/** What one seat wrote to standard error: the first bytes are kept, the rest is counted. */
import type { Readable } from "node:stream";

export const MAX_LOG = 1024 * 1024;

export class SeatLog {
  readonly #kept: Buffer[] = [];
  #bytes = 0;
  #cut = 0;
  readonly #onKept: ((chunk: Buffer) => void) | undefined;
  /** Resolves when nothing more can come. */
  readonly closed: Promise<void>;

  constructor(stream: Readable, onKept?: (chunk: Buffer) => void) {
    this.#onKept = onKept;
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("error", () => {});
    this.closed = new Promise((resolve) => stream.once("close", resolve));
  }

  #take(chunk: Buffer): void {
    const room = MAX_LOG - this.#bytes;
    const part = chunk.subarray(0, room);
    // A copy when small: many short lines must not keep the buffers alive that they came in.
    if (part.length > 0) {
      const kept = Buffer.from(part);
      this.#kept.push(kept);
      this.#onKept?.(kept);
    }
    if (this.#kept.length > 256) this.#kept.splice(0, this.#kept.length, Buffer.concat(this.#kept));
    this.#bytes += part.length;
    this.#cut += chunk.length - part.length;
  }

  /** Bytes that were not kept. */
  get cut(): number {
    return this.#cut;
  }

  /**
   * The bytes as they were, and a last line that says how much was cut off, if any was. It is for people: an agent can write such a
   * line itself, so who must know asks `cut`.
   */
  content(): Buffer {
    if (this.#cut === 0) return Buffer.concat(this.#kept);
    return Buffer.concat([...this.#kept, Buffer.from(`\n[lanista: ${this.#cut} more bytes were cut off]\n`)]);
  }
}
