/**
 * Result lines of the plainest kind, read here: a bytes literal as Python's `repr` writes it, around a pickle of None, booleans,
 * numbers, texts, lists, tuples and dictionaries. Its opcodes can name no class and call nothing; the list is closed, and what is
 * outside of it, or in any way unusual, is left to the reader in a box (read-result.ts), which alone refuses lines.
 *
 * What is accepted means here what it means to Python. So whatever Python would let pass as well (bytes after the end, a second
 * frame, items left on the stack, memo entries out of order) is not accepted either.
 */

const DEPTH = 40;
const NODES = 200_000;
const LONGEST_TEXT = 20_000;
const LONGEST_KEY = 200;
/** Of all texts together, each as often as it occurs. */
const MOST_TEXT = 1_000_000;
const LONGEST_LINE = 65_536;

/** Those of Python's opcodes that are read here. */
const OP = {
  protocol: 0x80,
  frame: 0x95,
  stop: 0x2e,
  none: 0x4e,
  true: 0x88,
  false: 0x89,
  int32: 0x4a,
  uint8: 0x4b,
  uint16: 0x4d,
  long: 0x8a,
  float: 0x47,
  shortText: 0x8c,
  text: 0x58,
  list: 0x5d,
  dict: 0x7d,
  tuple0: 0x29,
  tuple1: 0x85,
  tuple2: 0x86,
  tuple3: 0x87,
  tuple: 0x74,
  mark: 0x28,
  append: 0x61,
  appends: 0x65,
  setItem: 0x73,
  setItems: 0x75,
  memoize: 0x94,
  put8: 0x71,
  put32: 0x72,
  get8: 0x68,
  get32: 0x6a,
} as const;

class List {
  readonly items: unknown[] = [];
}
class Tuple {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}
class Dict {
  readonly entries = new Map<string, unknown>();
}

/** Not a plain line: the box shall say what it is. */
class Unusual extends Error {
  override readonly name = "Unusual";
}

function unusual(): never {
  throw new Unusual();
}

/** The value as JSON can hold it; undefined where the line is not of this kind. */
export function readPlain(line: string): { readonly value: unknown } | undefined {
  try {
    const bytes = literal(line);
    return { value: plain(new PlainPickle(bytes).load(), { nodes: NODES, text: MOST_TEXT }, DEPTH) };
  } catch (error) {
    if (error instanceof Unusual) return undefined;
    throw error;
  }
}

const SINGLE = /^b'((?:[ !"#-&(-[\]-~]|\\(?:[\\'tnr]|x[0-9a-f]{2}))*)'$/;
const DOUBLE = /^b"((?:[ !#-[\]-~]|\\(?:[\\tnr]|x[0-9a-f]{2}))*)"$/;
const ESCAPED: Readonly<Record<string, string>> = { "\\": "\\", "'": "'", t: "\t", n: "\n", r: "\r" };

function literal(line: string): Buffer {
  if (line.length > LONGEST_LINE) unusual();
  const inner = SINGLE.exec(line)?.[1] ?? DOUBLE.exec(line)?.[1] ?? unusual();
  const bytes = inner.replace(/\\(?:x(..)|(.))/g, (_, hex: string | undefined, one: string) =>
    hex === undefined ? ESCAPED[one]! : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1");
}

interface Room {
  nodes: number;
  text: number;
}

function plain(value: unknown, room: Room, depth: number): unknown {
  if (--room.nodes < 0 || depth < 0) unusual();
  if (value instanceof List || value instanceof Tuple) return value.items.map((one) => plain(one, room, depth - 1));
  if (value instanceof Dict)
    return Object.fromEntries([...value.entries].map(([key, one]) => [text(key, room), plain(one, room, depth - 1)]));
  return typeof value === "string" ? text(value, room) : value;
}

function text(value: string, room: Room): string {
  room.text -= value.length;
  return room.text < 0 ? unusual() : value;
}

class PlainPickle {
  readonly #data: Buffer;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #memo: unknown[] = [];
  /** Stacks below the marks, and the one on top. */
  readonly #below: unknown[][] = [];
  #stack: unknown[] = [];
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  load(): unknown {
    if (this.#byte() !== OP.protocol) unusual();
    const protocol = this.#byte();
    if (protocol < 2 || protocol > 5) unusual();
    if (protocol >= 4 && this.#data[this.#at] === OP.frame) {
      // One frame, around all that follows.
      this.#at++;
      const size = this.#take(8).readBigUInt64LE();
      if (size !== BigInt(this.#data.length - this.#at)) unusual();
    }
    for (;;) {
      const code = this.#byte();
      if (code !== OP.stop) {
        this.#step(code);
        continue;
      }
      if (this.#at !== this.#data.length || this.#below.length > 0 || this.#stack.length !== 1) unusual();
      return this.#stack[0];
    }
  }

  #step(code: number): void {
    const value = this.#value(code);
    if (value !== undefined) this.#stack.push(value);
    else if (!this.#build(code)) unusual();
  }

  /** What an opcode puts on the stack; undefined where it does something else. */
  #value(code: number): unknown {
    switch (code) {
      case OP.none:
        return null;
      case OP.true:
        return true;
      case OP.false:
        return false;
      case OP.int32:
        return this.#take(4).readInt32LE();
      case OP.uint8:
        return this.#byte();
      case OP.uint16:
        return this.#take(2).readUInt16LE();
      case OP.long:
        return this.#long();
      case OP.float:
        return this.#float();
      case OP.shortText:
        return this.#string(this.#byte());
      case OP.text:
        return this.#string(this.#take(4).readUInt32LE());
      case OP.list:
        return new List();
      case OP.dict:
        return new Dict();
      case OP.tuple0:
        return new Tuple([]);
      case OP.tuple1:
      case OP.tuple2:
      case OP.tuple3:
        return this.#tuple(code - OP.tuple1 + 1);
      case OP.tuple:
        return new Tuple(this.#toMark());
      case OP.get8:
        return this.#recall(this.#byte());
      case OP.get32:
        return this.#recall(this.#take(4).readUInt32LE());
      default:
        return undefined;
    }
  }

  /** Whether it is an opcode that is known here. */
  #build(code: number): boolean {
    switch (code) {
      case OP.mark:
        this.#below.push(this.#stack);
        this.#stack = [];
        return true;
      case OP.append:
        this.#append([this.#pop()]);
        return true;
      case OP.appends:
        this.#append(this.#toMark());
        return true;
      case OP.setItem: {
        const value = this.#pop();
        this.#set([this.#pop(), value]);
        return true;
      }
      case OP.setItems:
        this.#set(this.#toMark());
        return true;
      case OP.memoize:
        this.#memoize(this.#memo.length);
        return true;
      case OP.put8:
        this.#memoize(this.#byte());
        return true;
      case OP.put32:
        this.#memoize(this.#take(4).readUInt32LE());
        return true;
      default:
        return false;
    }
  }

  #pop(): unknown {
    return this.#stack.length === 0 ? unusual() : this.#stack.pop();
  }

  #toMark(): unknown[] {
    const items = this.#stack;
    this.#stack = this.#below.pop() ?? unusual();
    return items;
  }

  #tuple(size: number): Tuple {
    return this.#stack.length < size ? unusual() : new Tuple(this.#stack.splice(-size));
  }

  #append(items: readonly unknown[]): void {
    const list = this.#stack.at(-1);
    if (!(list instanceof List)) unusual();
    for (const one of items) list.items.push(one);
  }

  #set(items: readonly unknown[]): void {
    const dict = this.#stack.at(-1);
    if (!(dict instanceof Dict) || items.length % 2 !== 0) unusual();
    for (let at = 0; at < items.length; at += 2) {
      const key = items[at];
      if (typeof key !== "string" || key.length > LONGEST_KEY || key === "__proto__") unusual();
      dict.entries.set(key, items[at + 1]);
    }
  }

  #memoize(place: number): void {
    if (place !== this.#memo.length || this.#stack.length === 0) unusual();
    this.#memo.push(this.#stack.at(-1));
  }

  #recall(place: number): unknown {
    return place >= this.#memo.length ? unusual() : this.#memo[place];
  }

  #byte(): number {
    return this.#data[this.#at++] ?? unusual();
  }

  #take(size: number): Buffer {
    const end = this.#at + size;
    if (end > this.#data.length) unusual();
    const part = this.#data.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  #long(): number {
    const size = this.#byte();
    // Beyond what a number holds exactly there is the box.
    if (size > 6) unusual();
    return size === 0 ? 0 : this.#take(size).readIntLE(0, size);
  }

  #float(): number {
    const value = this.#take(8).readDoubleBE();
    return Number.isFinite(value) ? value : unusual();
  }

  #string(size: number): string {
    const bytes = this.#take(size);
    if (size > LONGEST_TEXT) unusual();
    try {
      return this.#utf8.decode(bytes);
    } catch {
      return unusual();
    }
  }
}
