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

/** Lines of one stream, whatever its chunks; what is over the longest comes in parts, and as no line. */
class Lines {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  readonly #log: BoundedLog;
  #line = "";
  #tooLong = false;

  constructor(log: BoundedLog, onLine: (line: string) => void) {
    this.#log = log;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const parts = this.#decoder.write(chunk).split("\n");
    for (const [index, part] of parts.entries()) {
      this.#line += part;
      if (this.#line.length > LONGEST_LINE) {
        this.#log.add(this.#line);
        this.#line = "";
        this.#tooLong = true;
      }
      if (index < parts.length - 1) this.#end();
    }
  }

  #end(): void {
    if (!this.#tooLong) this.#onLine(this.#line.replace(/\r$/, ""));
    this.#log.add(`${this.#line}\n`);
    this.#line = "";
    this.#tooLong = false;
  }

  finish(): void {
    if (this.#line === "") return;
    if (!this.#tooLong) this.#onLine(this.#line);
    this.#log.add(this.#line);
    this.#line = "";
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
    this.#out = new Lines(this.#log, (line) => {
      memory(line);
      if (!/^\s*b(?:'.*'|".*")\s*$/.test(line)) return;
      this.candidates++;
      this.candidate ??= line.trim();
    });
    this.#err = new Lines(this.#log, memory);
  }

  stdout(chunk: Buffer): void {
    this.#out.push(chunk);
  }

  stderr(chunk: Buffer): void {
    this.#err.push(chunk);
  }

  finish(): void {
    this.#out.finish();
    this.#err.finish();
  }

  text(): string {
    return this.#log.text();
  }
}
