/** Longest line an agent may write, in bytes, without its newline. */
export const MAX_LINE = 64 * 1024;

const NEWLINE = 0x0a;

/** Bytes in, whole lines out. Never holds more than `most` bytes beside the chunk in hand. */
export class LineReader {
  #partial: Buffer[] = [];
  #held = 0;
  readonly #most: number;

  constructor(most = MAX_LINE) {
    this.#most = most;
  }

  /** Whether part of a line is waiting for its newline. */
  get midLine(): boolean {
    return this.#held > 0;
  }

  /** Calls `onLine` for each line that `chunk` completes. Returns false once a line is too long: then nothing more is to be read. */
  push(chunk: Buffer, onLine: (line: Buffer) => void): boolean {
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(NEWLINE, from);
      const upTo = at < 0 ? chunk.length : at;
      if (this.#held + upTo - from > this.#most) return false;
      if (at < 0) break;
      const rest = chunk.subarray(from, at);
      const line = this.#held === 0 ? rest : Buffer.concat([...this.#partial, rest]);
      this.#partial = [];
      this.#held = 0;
      from = at + 1;
      onLine(line);
    }
    if (from < chunk.length) {
      // Copied when small: one byte a second must not keep each time the 64 KiB buffer alive that it came in.
      const rest = chunk.subarray(from);
      if (this.#partial.length >= 64) this.#partial = [Buffer.concat(this.#partial)];
      this.#partial.push(Buffer.from(rest));
      this.#held += rest.length;
    }
    return true;
  }
}
