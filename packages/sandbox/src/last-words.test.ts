import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lastWords } from "./last-words.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lanista-words-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

test("a log of any length ends in its last words", () => {
  const log = join(dir, "log");
  expect(lastWords(log)).toBe("");
  writeFileSync(log, " short\n");
  expect(lastWords(log)).toBe("short");
  writeFileSync(log, `${"x".repeat(5000)}end\n`);
  expect(lastWords(log)).toBe(`${"x".repeat(1996)}end`);
  // More than fits into memory at once: a file with a hole, which takes no room on disk.
  truncateSync(log, 64 * 1024 ** 3);
  expect(lastWords(log)).toHaveLength(2000);
});
