import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Journal } from "./journal.ts";
import { type Report, readReport, reportBytes } from "./report.ts";

const root = mkdtempSync(join(tmpdir(), "lanista-aivle-journal-"));
afterAll(() => rmSync(root, { recursive: true }));
const report = (log: string): Report => ({ task_id: "t", ok: false, raw_log: log, result: null, error: "RE" });

describe("the journal", () => {
  it("keeps the first of many reports that are made at once, for all who make one, and for other processes", async () => {
    const [one, other] = [await Journal.open(root, "a site"), await Journal.open(root, "a site")];
    const key = Journal.key(1, "message");
    expect(await one.report(key)).toBeUndefined();
    const kept = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? one : other).keep(key, report(`${n}`))),
    );
    expect(new Set(kept.map(({ bytes }) => bytes.toString())).size).toBe(1);
    expect((await other.report(key))!.bytes).toEqual(kept[0]!.bytes);
    expect(await other.isStored(key)).toBe(false);
    await one.stored(key);
    expect(await other.isStored(key)).toBe(true);
    expect(await (await Journal.open(root, "another site")).report(key)).toBeUndefined();
  });

  it("counts, and tells jobs and messages apart", async () => {
    const journal = await Journal.open(root, "counts");
    const keys = [Journal.key(1, "a"), Journal.key(1, "b"), Journal.key(11, "a"), Journal.key(1, "../../a")];
    expect(new Set(keys).size).toBe(4);
    expect(keys.every((key) => /^\d+-[0-9a-f]{32}$/.test(key))).toBe(true);
    expect(await journal.count(keys[0]!, "begun")).toBe(1);
    expect(await journal.count(keys[0]!, "begun")).toBe(2);
    expect(await journal.count(keys[0]!, "faults")).toBe(1);
    expect(await journal.count(keys[1]!, "begun")).toBe(1);
  });

  it("forgets what no broker remembers, and what a killed process left half-written", async () => {
    const journal = await Journal.open(root, "old");
    const key = Journal.key(1, "a");
    await journal.keep(key, report(""));
    const folder = join(
      root,
      readdirSync(root).find(
        (name) => readdirSync(join(root, name)).includes(`${key}.report`) && readdirSync(join(root, name)).length === 1,
      )!,
    );
    writeFileSync(join(folder, "new-half"), '{"task_id"');
    await journal.sweep();
    expect(readdirSync(folder)).toHaveLength(2);
    const old = new Date(Date.now() - 16 * 24 * 3600 * 1000);
    for (const name of readdirSync(folder)) utimesSync(join(folder, name), old, old);
    await Journal.open(root, "old");
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("a report", () => {
  it("holds nothing that the site's database does not take", () => {
    const { raw_log } = readReport(reportBytes(report("a\0b\ud800c\u001b[31m")));
    expect(raw_log).toBe("a\u{fffd}b\u{fffd}c\u001b[31m");
  });

  it("has a log that passes the site's front, its begin and its end", () => {
    for (const piece of ["x", "\0", "\u{1f600}", "\u0001"]) {
      const bytes = reportBytes(report(`begin${piece.repeat(500_000)}end`));
      expect(bytes.length).toBeLessThan(300_000);
      expect(readReport(bytes).raw_log).toMatch(/^begin.*\[… cut here …\].*end$/s);
    }
  });
});
