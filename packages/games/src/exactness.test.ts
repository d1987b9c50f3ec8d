/**
 * The same episode on every machine: of the mathematics, rules use what IEEE 754 and ECMAScript define to the bit. All else in
 * Math may differ from engine to engine in its last bit, and so may `**`, but
 * for two literals, which anybody can check. This looks through every source of the package that is no test.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const EXACT = ["abs", "ceil", "clz32", "floor", "fround", "imul", "max", "min", "round", "sign", "sqrt", "trunc", "PI"];

/** Without comments; strings are kept, so that two slashes in one do not hide what follows. */
function code(text: string): string {
  return text.replace(/("(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/.*/g, "$1");
}

/** The pieces of a source that are not exact. */
function inexact(text: string): string[] {
  const uses = code(text).match(/\bMath\b(\s*\??\.\s*\w+)?|[^\s*]*\s*\*\*=?\s*[^\s*]*/g) ?? [];
  return uses.filter((use) => {
    const name = /^Math\s*\.\s*(\w+)$/.exec(use)?.[1];
    return name === undefined ? !/^(\W*)\d+\s*\*\*\s*\d+\W*$/.test(use) : !EXACT.includes(name);
  });
}

const FOLDER = new URL("./", import.meta.url);
const sources = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
);

test("there are sources to look through", () => {
  expect(sources).toEqual(expect.arrayContaining(["environment.ts", "conformance/view.ts", "maths.ts", "pong.ts"]));
});

test.each(sources)("%s is exact", (name) => {
  expect(inexact(readFileSync(new URL(name, FOLDER), "utf8"))).toEqual([]);
});

test.each([
  ["const y = Math.sin(x);", "Math.sin"],
  ["const y = Math\n  .pow(x, 2);", "Math\n  .pow"],
  ["const y = Math?.exp(x);", "Math?.exp"],
  ['const y = Math["cos"](x);', "Math"],
  ["const { tan } = Math;", "Math"],
  ["const y = Math.random();", "Math.random"],
  ["const y = x ** 2;", "x ** 2;"],
  ["const y = 2 ** this.seats - 1;", "2 ** this.seats"],
  ["y **= 2;", "y **= 2;"],
  ["const y = f(x)**0.5;", "f(x)**0.5;"],
  ['const u = "http://x"; const y = Math.log(x);', "Math.log"],
  ["const u = `//`; const y = Math.log(x);", "Math.log"],
])("%j is not", (text, piece) => {
  expect(inexact(text)).toEqual([piece]);
});

test.each([
  "const y = Math.floor(Math.abs(x)) * Math.PI;",
  "const limits = [2 ** 32, -(2 ** 32), 2 ** 53 - 1];",
  "// Math.sin, and x ** y",
  "/** Math.cos */ const y = 1; /* x ** y */",
])("%j is exact", (text) => {
  expect(inexact(text)).toEqual([]);
});
