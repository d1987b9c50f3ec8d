import { describe, expect, test } from "vitest";
import { Findings } from "./findings.ts";
import { type Finding, findingLine } from "./report.ts";

const BASE: Finding = { check: "syntax", code: "syntax", message: "no" };

describe("a finding as one line", () => {
  test.each<readonly [Partial<Finding>, string]>([
    [{}, "no"],
    [{ file: "a.py" }, "a.py: no"],
    [{ file: "a.py", line: 3 }, "a.py:3: no"],
    [{ message: "one\n  two\n" }, "one | two | "],
    [{ log: "said\nmore\n" }, "no | its log ends: said | more"],
    [{ message: "Error: no\n", log: "Error: no\n" }, "Error: no | "],
    [{ log: "" }, "no"],
  ])("%j", (more, line) => {
    expect(findingLine({ ...BASE, ...more })).toBe(line);
  });

  test("is of at most 1000 characters, and the log's end is what stays", () => {
    const line = findingLine({ ...BASE, message: "m".repeat(5000), log: `${"\n".repeat(5000)}${"l".repeat(5000)}end` });
    expect(line.length).toBeLessThanOrEqual(1000);
    expect(line.endsWith("end")).toBe(true);
    expect(findingLine({ ...BASE, file: "f".repeat(3000) })).toHaveLength(1000);
  });
});

describe("findings", () => {
  test("are in the order of checks, files and lines, and make each check's state", () => {
    const findings = new Findings();
    findings.ran("structure");
    findings.ran("dry_run");
    findings.add("warning", { ...BASE, file: "b.py", line: 1 });
    findings.add("warning", { ...BASE, file: "a.py", line: 9 });
    findings.add("error", { ...BASE, file: "a.py", line: 2 });
    findings.add("warning", { ...BASE, check: "structure", code: "lines" });
    findings.add("ignore", { ...BASE, check: "imports", code: "forbidden" });
    expect(findings.list("warning").map(findingLine)).toEqual(["no", "a.py:9: no", "b.py:1: no"]);
    expect(findings.list("error").map(findingLine)).toEqual(["a.py:2: no"]);
    expect(findings.checks).toEqual({
      structure: "warned",
      syntax: "failed",
      imports: "passed",
      requirements: "skipped",
      dry_run: "passed",
    });
  });

  test("are at most 100, the last of which counts the others", () => {
    const findings = new Findings();
    for (let i = 0; i < 150; i++) findings.add("error", { ...BASE, line: i + 1 });
    findings.leftOut(7);
    expect(findings.list("error")).toHaveLength(100);
    expect(findings.list("error").at(-1)).toMatchObject({ code: "more", message: "and 51 more" });
    expect(findings.list("warning")).toMatchObject([{ code: "more", message: "and 7 more" }]);
  });
});
