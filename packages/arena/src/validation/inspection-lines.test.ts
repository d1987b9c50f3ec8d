/** What comes out of the box in which the files are looked through is data: a report is whole, or it is none. */
import { describe, expect, test } from "vitest";
import { InspectionLines } from "./inspection-lines.ts";

const HELLO = { type: "hello", version: "3.11.2" };
const A = { type: "file", path: "a.py" };
const B = { type: "file", path: "b.py" };
const DONE = { type: "done", left_out: 0 };
const FOUND = { type: "finding", code: "syntax", path: "a.py", line: 3, message: "no" };

/** Takes lines until one is refused. */
function take(...lines: readonly unknown[]): { report: InspectionLines; taken: number } {
  const report = new InspectionLines(["a.py", "b.py"]);
  const bytes = lines.map((line) => Buffer.from(typeof line === "string" ? line : JSON.stringify(line)));
  const refused = bytes.findIndex((line) => !report.take(line));
  return { report, taken: refused < 0 ? lines.length : refused };
}

test("a whole report", () => {
  const { report } = take(HELLO, A, FOUND, { ...FOUND, line: null }, { ...FOUND, line: 0 }, B, {
    ...DONE,
    left_out: 2,
  });
  expect(report).toMatchObject({ done: true, version: "3.11.2", leftOut: 2, current: "b.py" });
  expect(report.findings).toEqual([
    { code: "syntax", file: "a.py", line: 3, message: "no" },
    { code: "syntax", file: "a.py", message: "no" },
    { code: "syntax", file: "a.py", message: "no" },
  ]);
});

describe("a report that leaves a file out, or says something else, is none:", () => {
  test.each<readonly [string, ...unknown[]]>([
    ["done at once", DONE],
    ["done before a file", HELLO, DONE],
    ["done before the last file", HELLO, A, DONE],
    ["files in another order", HELLO, B],
    ["a file twice", HELLO, A, A],
    ["a file nobody asked for", HELLO, { type: "file", path: "c.py" }],
    ["no hello", A],
    ["two", HELLO, HELLO],
    ["a version that is a text", { type: "hello", version: "\u001b[2J" }],
    ["a finding of another file", HELLO, A, { ...FOUND, path: "b.py" }],
    ["a finding before any file", HELLO, FOUND],
    ["a code that is not known", HELLO, A, { ...FOUND, code: "toString" }],
    ["a verdict", HELLO, A, B, { ...DONE, valid: true }],
    ["a line that is no number", HELLO, A, { ...FOUND, line: "3" }],
    ["a line below 0", HELLO, A, { ...FOUND, line: -1 }],
    ["half a line's number", HELLO, A, { ...FOUND, line: 1.5 }],
    ["a message that is no text", HELLO, A, { ...FOUND, message: ["no"] }],
    ["a long message", HELLO, A, { ...FOUND, message: "x".repeat(401) }],
    ["an extra key", HELLO, A, { ...FOUND, x: 1 }],
    ["__proto__", HELLO, A, `{"type":"done","left_out":0,"__proto__":{}}`],
    ["no JSON", HELLO, "{"],
    ["a list", HELLO, [1]],
    ["a count below 0", HELLO, A, B, { ...DONE, left_out: -1 }],
    ["something after the end", HELLO, A, B, DONE, FOUND],
  ])("%s", (_, ...lines) => {
    expect(take(...lines).taken).toBe(lines.length - 1);
  });

  test("bytes that are not UTF-8", () => {
    expect(new InspectionLines([]).take(Buffer.from([0x22, 0xff, 0x22]))).toBe(false);
  });

  test("findings without end", () => {
    expect(take(HELLO, A, ...Array.from({ length: 501 }, () => FOUND)).taken).toBe(2 + 500);
  });
});
