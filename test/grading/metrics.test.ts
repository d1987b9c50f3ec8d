/** Our metrics beside scikit-learn's own. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { METRICS, type Metric } from "@lanista/arena/grading/measures";
import { ASKED, type Label, type Predictions, readPredictions, score } from "@lanista/arena/grading/supervised/metrics";
import { describe, expect, test } from "vitest";
import { pythonPackages } from "../server/python.ts";

const here = import.meta.dirname;
const venv = pythonPackages(join(here, "requirements.txt"));

type Case = [metric: Metric, labels: Label[], predictions: unknown[], classes: Label[], score: number];

describe.skipIf(venv === null)("metrics are those of scikit-learn", () => {
  const cases = (): Case[] => {
    const options = { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 } as const;
    return JSON.parse(execFileSync(join(venv!, "bin/python"), [join(here, "metrics.py"), "20261128"], options));
  };

  test("on right, random, one-sided and constant predictions, of one row to a thousand", () => {
    const tried = new Map<Metric, number>();
    for (const [metric, labels, given, classes, expected] of cases()) {
      const read = readPredictions(ASKED[metric], given, labels.length, classes.length);
      expect(typeof read, `${metric}: ${read}`).not.toBe("string");
      const got = score(metric, labels, read as Predictions, classes);
      // Sums in another order, and no more.
      const tolerance = 1e-9 * Math.max(1, Math.abs(expected));
      expect(Math.abs(got - expected), `${metric} of ${labels.length} rows: ${got}, not ${expected}`).toBeLessThan(
        tolerance,
      );
      tried.set(metric, (tried.get(metric) ?? 0) + 1);
    }
    expect([...tried.keys()].sort()).toEqual([...METRICS].sort());
    for (const [metric, count] of tried) expect(count, metric).toBeGreaterThan(10);
  });
});
