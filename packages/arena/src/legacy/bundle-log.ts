/**
 * What a bundle prints: the log that is kept of it, bounded at both ends, and the lines that could be its result. Standard
 * output and error come in the order they were written, as in aiVLE's log; results are looked for on standard output alone.
 */
import { StringDecoder } from "node:string_decoder";

/** Kept of the log's beginning, and of its end. aiVLE's site stores it in a column of text. */
const KEPT = 32 * 1024;
/** A longer line is no result. */
const LONGEST_LINE = 1024 * 1024;

export class BoundedLog {
  #head = "";
  #tail = "";
  #left = 0;

  add(text: string): void {
    const room = KEPT - this.#head.length;
    this.#head += text.slice(0, room);
    this.#tail += text.slice(room);
    if (this.#tail.length > 2 * KEPT) {
      this.#left += this.#tail.length - KEPT;
      this.#tail = this.#tail.slice(-KEPT);
    }
  }

  /** Without NUL, which no text column takes. */
  text(): string {
    const over = Math.max(0, this.#tail.length - KEPT);
    const left = this.#left + over;
    const gap = left === 0 ? "" : `\n… ${left} characters left out …\n`;
    return `${this.#head}${gap}${this.#tail.slice(over)}`.replaceAll("\0", "\ufffd").toWellFormed();
  }
}

/** Lines of one stream, whatever its chunks; what is over the longest is cut to nothing. */
class Lines {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  #line = "";
  #tooLong = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(text: string): void {
    const parts = text.split("\n");
    for (const [index, part] of parts.entries()) {
      if (this.#line.length + part.length > LONGEST_LINE) this.#tooLong = true;
      this.#line = this.#tooLong ? "" : this.#line + part;
      if (index < parts.length - 1) this.#end();
    }
  }

  decode(chunk: Buffer): string {
    return this.#decoder.write(chunk);
  }

  #end(): void {
    if (!this.#tooLong) this.#onLine(this.#line.replace(/\r$/, ""));
    this.#line = "";
    this.#tooLong = false;
  }

  finish(): void {
    if (this.#line !== "") this.#end();
  }
}

export class BundleLog {
  readonly #log = new BoundedLog();
  readonly #out: Lines;
  readonly #err: Lines;
  /** The first line that could be a result. */
  candidate: string | null = null;
  candidates = 0;
  /** A line by which Python says that memory was refused: aiVLE's sign of it. */
  memoryError = false;

  constructor() {
    const memory = (line: string): void => {
      if (line === "MemoryError" || line.startsWith("MemoryError:")) this.memoryError = true;
    };
    this.#out = new Lines((line) => {
      memory(line);
      if (!/^\s*b(?:'.*'|".*")\s*$/.test(line)) return;
      this.candidates++;
      this.candidate ??= line.trim();
    });
    this.#err = new Lines(memory);
  }

  stdout(chunk: Buffer): void {
    this.#add(this.#out, chunk);
  }

  stderr(chunk: Buffer): void {
    this.#add(this.#err, chunk);
  }

  #add(lines: Lines, chunk: Buffer): void {
    const text = lines.decode(chunk);
    this.#log.add(text);
    lines.push(text);
  }

  finish(): void {
    this.#out.finish();
    this.#err.finish();
  }

  text(): string {
    return this.#log.text();
  }
}
