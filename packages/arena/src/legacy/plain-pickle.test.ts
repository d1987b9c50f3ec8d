/** Whatever is read here is what the reader in a box reads, damaged lines among it; and nothing that names a class is. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPlain } from "./plain-pickle.ts";

const LEGACY = join(import.meta.dirname, "../../../../guest/legacy");

function python(code: string, input = ""): readonly string[] {
  const options = { encoding: "utf8", maxBuffer: 256 * 1024 * 1024, input } as const;
  return execFileSync("/usr/bin/python3", ["-B", "-c", code, LEGACY], options).split("\n").slice(0, -1);
}

/** What the program in the box says of each line. */
const READ = String.raw`
import json, sys
sys.path.insert(0, sys.argv[1])
import read_result
sys.setrecursionlimit(500)
for line in sys.stdin.read().split("\n")[:-1]:
    try:
        print(json.dumps(read_result.read(line), allow_nan=False))
    except (read_result.Refused, MemoryError, RecursionError) as why:
        print(json.dumps({"ok": False, "why": str(why)}))
`;
const inBox = (given: readonly string[]): readonly { readonly value: unknown }[] =>
  python(READ, given.map((line) => `${line}\n`).join("")).map((text) => JSON.parse(text));

const PLAIN = python(String.raw`
import pickle
shared = {"again": "and again"}
values = [
    {"suite_id": "s", "results": [
        {"case_id": 0, "result": {"name": "n", "detail": [1, -1.5, (), (1, 2, 3, 4)], "value": 2.5, "error": None}}]},
    None, True, False, 0, 255, 256, 65535, 65536, -1, 2**31, -2**31 - 1, 2**47 - 1, -2**47, 0.0, -0.0, 1e308, 5e-324,
    "", "text", "\u00e9\u20ac\U0001f600", "\ufeff", "it's", 'a "quoted"', "both ' and \"", "\\", "x" * 300, [], [[]] * 3,
    [1] * 2000, {}, {"a": {"b": ()}}, {str(n): n for n in range(500)}, (1,), (1, 2), [["deep"]],
    [shared, shared, "and again"],
]
for protocol in (2, 3, 4, 5):
    for value in values:
        print(pickle.dumps(value, protocol))
`);

const OTHERS = python(String.raw`
import collections, fractions, pickle
values = [
    ValueError("no"), print, len, {1}, b"bytes", bytearray(b"x"), 2**60, -2**53 - 1, float("nan"), float("inf"), 1j,
    range(3), collections.OrderedDict(a=1), fractions.Fraction(1, 2), {1: 2}, {"__proto__": 1}, "\ud800", "x" * 30000,
    {"k" * 300: 1},
]
for value in values:
    for protocol in range(6):
        print(pickle.dumps(value, protocol))
print(pickle.dumps({"results": []}, 0))
deep = many = []
for _ in range(41):
    deep = [deep]
for _ in range(30):
    many = [many, many]
loop = []
loop.append(loop)
for value in (deep, many, loop, ["x" * 20000] * 100, [0] * 30000):
    print(pickle.dumps(value))
# More than one thing, or less; items for what is no list; a memo out of order; two frames.
for data in (
    pickle.dumps(1) + b"more", b"", b"N.", b"\x80\x04", b"\x80\x04.", b"\x80\x04NN.", b"\x80\x04(N.", b"\x80\x04N(.",
    b"\x80\x04]K\x00K\x01s.", b"\x80\x04}Na.", b"\x80\x04)(Ne.", b"\x80\x04}(Nu.", b"\x80\x04}K\x01Ns.",
    b"\x80\x04Nq\x05h\x05.", b"\x80\x04(\x94.", b"\x80\x04h\x00.", b"\x80\x04\x95\x01\0\0\0\0\0\0\0N\x95\x01\0\0\0\0\0\0\0.",
    b"\x80\x04\x80\x04N.", b"\x80\x06N.", b"\x80\x01N.", b"\x80\x04M\x01.", b"\x80\x04\x8c\x02\xc3\x28.",
):
    print(data)
`);
const LITERALS = [
  String.raw`b'\x80\x04N.' b''`,
  String.raw`b'\x80\x04\116.'`,
  String.raw`b'\x80\x04N\056'`,
  String.raw`B'\x80\x04N.'`,
  String.raw`rb'\x80\x04N.'`,
  String.raw`(b'\x80\x04N.')`,
  String.raw` b'\x80\x04N.'`,
  "b'\u0080\u0004N.'",
  `b'${"x".repeat(1_000_000)}'`,
];

describe("a plain result line", () => {
  test("means here what it means in the box", () => {
    const box = inBox(PLAIN);
    for (const [at, line] of PLAIN.entries()) {
      const read = readPlain(line);
      expect({ line, read }).toEqual({ line, read: { value: box[at]!.value } });
      expect(box[at]).toMatchObject({ ok: true, line, unknown: [] });
    }
    expect(readPlain(String.raw`b'\x80\x04G\x80\x00\x00\x00\x00\x00\x00\x00.'`)).toEqual({ value: -0 });
  });

  test("is none where it names a class, is too much, or is unusual in any way", () => {
    for (const line of [...OTHERS, ...LITERALS]) {
      const shown = line.slice(0, 100);
      expect({ shown, read: readPlain(line) }).toEqual({ shown, read: undefined });
    }
    expect(readPlain(String.raw`b'\x80\x04N.'`)).toEqual({ value: null });
  });

  test("that was damaged is left to the box, or means the same there", () => {
    // A generator of our own: a failure can be had again.
    let state = 12_345;
    const draw = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    const short = PLAIN.filter((line) => line.length < 400);
    const damaged = Array.from({ length: 6000 }, () => {
      const bytes = bytesOf(short[draw(short.length)]!);
      for (let times = draw(3); times >= 0; times--) bytes[draw(bytes.length)] = draw(256);
      return `b'${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}'`;
    });
    const taken = damaged.filter((line) => readPlain(line) !== undefined);
    const box = inBox(taken);
    for (const [at, line] of taken.entries())
      expect({ line, box: box[at] }).toEqual({
        line,
        box: { ok: true, line, unknown: [], value: readPlain(line)!.value },
      });
    // Many were read, and many were not.
    expect(taken.length).toBeGreaterThan(300);
    expect(taken.length).toBeLessThan(5700);
  });
});

function bytesOf(line: string): Buffer {
  const named: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
  const text = line
    .slice(2, -1)
    .replace(/\\(?:x(..)|(.))/g, (_, hex: string | undefined, one: string) =>
      hex === undefined ? (named[one] ?? one) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
  return Buffer.from(text, "latin1");
}
