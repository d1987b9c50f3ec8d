/**
 * What the program that looks through an agent's files says, line by line (guest/python/validate.py). It reads hostile files,
 * so what it says is data: every line is one of four, exactly; files come in the order they were asked for, each finding is of
 * the file that was named last, and the report is whole only if every file was named and the last line says so.
 */
import { INSPECTION_CODES, type InspectionCode } from "./report.ts";

export interface InspectionFinding {
  readonly code: InspectionCode;
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

/** Findings past this are not taken; the program itself sends fewer. */
const MAX_FINDINGS = 500;
const MAX_MESSAGE = 400;
const MAX_LINE_NUMBER = 1e9;

type Message = Readonly<Record<string, unknown>>;

export class InspectionLines {
  readonly #files: readonly string[];
  readonly findings: InspectionFinding[] = [];
  /** Of the interpreter. */
  version: string | undefined;
  /** Findings that were not passed on, for being too many. */
  leftOut = 0;
  /** All was looked at. */
  done = false;
  #begun = 0;

  /** `files`: those that are to be looked at, in order. */
  constructor(files: readonly string[]) {
    this.#files = files;
  }

  /** The file that is being looked at; undefined before the first. */
  get current(): string | undefined {
    return this.#files[this.#begun - 1];
  }

  /** Takes one line, without its newline. Returns false if it is none of the lines that may come now. */
  take(line: Uint8Array): boolean {
    const message = parseObject(line);
    if (message === undefined || this.done) return false;
    switch (message.type) {
      case "hello":
        return this.#hello(message);
      case "file":
        return this.#file(message);
      case "finding":
        return this.#finding(message);
      case "done":
        return this.#end(message);
      default:
        return false;
    }
  }

  #hello(message: Message): boolean {
    const { version } = message;
    if (this.version !== undefined || !hasExactly(message, "type", "version")) return false;
    if (typeof version !== "string" || !/^\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(version)) return false;
    this.version = version;
    return true;
  }

  #file(message: Message): boolean {
    if (this.version === undefined || !hasExactly(message, "type", "path")) return false;
    if (message.path !== this.#files[this.#begun]) return false;
    this.#begun++;
    return true;
  }

  #finding(message: Message): boolean {
    const { code, path, line, message: text } = message;
    if (!hasExactly(message, "type", "code", "path", "line", "message")) return false;
    if (path !== this.current || typeof path !== "string") return false;
    if (typeof code !== "string" || !Object.hasOwn(INSPECTION_CODES, code)) return false;
    if (typeof text !== "string" || text.length > MAX_MESSAGE) return false;
    if (line !== null && !isCount(line)) return false;
    if (this.findings.length >= MAX_FINDINGS) return false;
    const place = line === null || line === 0 ? {} : { line };
    this.findings.push({ code: code as InspectionCode, file: path, ...place, message: text });
    return true;
  }

  #end(message: Message): boolean {
    if (!hasExactly(message, "type", "left_out") || !isCount(message.left_out)) return false;
    if (this.version === undefined || this.#begun !== this.#files.length) return false;
    this.leftOut = message.left_out;
    this.done = true;
    return true;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_LINE_NUMBER;
}

function hasExactly(object: object, ...keys: string[]): boolean {
  const own = Object.keys(object);
  return own.length === keys.length && keys.every((key) => Object.hasOwn(object, key));
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parseObject(line: Uint8Array): Message | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(line));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}
