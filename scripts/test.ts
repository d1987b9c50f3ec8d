/**
 * Runs everything that tests, and ends with one line that adds it up: `N passed, N failed[, N skipped]`. The status is 0
 * only if nothing failed. Arguments go to vitest: `node scripts/test.ts packages/games`; the goldens are compared, and what
 * failed is run again alone, only without any.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const reports = join(root, ".cache", "test");
/** Tests that are run again: where more fail, it was no accident. */
const MOST_AGAIN = 10;

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** What failed in one file: tests by their full names, or all of it where it did not get to its tests. */
interface Failure {
  readonly file: string;
  readonly names: readonly string[];
  readonly passed: number;
}

interface Run extends Count {
  readonly failures: readonly Failure[];
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly ancestorTitles: readonly string[];
      readonly title: string;
    }[];
  }[];
}

function start(command: string, args: readonly string[]): number {
  const ended = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (ended.error !== undefined) console.error(`${command} could not be started: ${ended.error.message}`);
  return ended.status ?? 1;
}

function vitest(args: readonly string[], name = "vitest.json"): Run {
  const report = join(reports, name);
  mkdirSync(reports, { recursive: true });
  rmSync(report, { force: true });
  const status = start("vitest", [
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...args,
  ]);
  let found: VitestReport;
  try {
    found = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    console.error("vitest left no report: it did not come to its end");
    return { passed: 0, failed: 1, skipped: 0, failures: [] };
  }
  const failures = found.testResults
    .filter((file) => file.status === "failed")
    .map((file) => ({
      file: relative(root, file.name),
      names: file.assertionResults
        .filter((each) => each.status === "failed")
        .map((each) => [...each.ancestorTitles, each.title].join(" > ")),
      passed: file.assertionResults.filter((each) => each.status === "passed").length,
    }));
  // A file that did not get to its tests has none to count, and counts as one that failed.
  const failed = found.numFailedTests + failures.filter(({ names }) => names.length === 0).length;
  return {
    passed: found.numPassedTests,
    // An error outside every test shows in the status alone.
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: found.numPendingTests + found.numTodoTests,
    failures,
  };
}

const named = ({ file, names }: Failure): readonly string[] =>
  (names.length > 0 ? names : ["(did not get to its tests)"]).map((name) => `${file}: ${name}`);

/**
 * Runs what failed once more, when nothing else runs: a test of a deadline can fail because the host stood still. What fails
 * again has failed; what passes is named, for a test that does so often is wrong or has found something.
 */
function again(run: Run): Run {
  const wrong = run.failures.flatMap(named).length;
  if (wrong === 0 || wrong < run.failed || wrong > MOST_AGAIN) return run;
  console.log(`\nrunning what failed again, alone: ${wrong}`);
  const failures: Failure[] = [];
  let { passed } = run;
  let failed = 0;
  for (const first of run.failures) {
    const { file, names } = first;
    const these = names.length === 0 ? [] : ["-t", `^(${names.map(escaped).join("|")})$`];
    const second = vitest([file, ...these], "again.json");
    passed += second.passed - (names.length === 0 ? first.passed : 0);
    if (second.failed === 0 && second.passed >= Math.max(1, names.length)) {
      unsteady.push(...named(first));
    } else {
      failures.push(...(second.failures.length > 0 ? second.failures : [first]));
      failed += Math.max(1, second.failed);
    }
  }
  return { passed, failed, skipped: run.skipped, failures };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Compares the goldens with what OpenSpiel and Gymnasium give; 75 means that these could not be had. */
function goldens(): Count {
  const status = start("scripts/goldens.sh", ["--check"]);
  return {
    passed: status === 0 ? 1 : 0,
    failed: status !== 0 && status !== 75 ? 1 : 0,
    skipped: status === 75 ? 1 : 0,
  };
}

const args = process.argv.slice(2);
const unsteady: string[] = [];
const whole = args.length === 0;
const tests = whole ? again(vitest(args)) : vitest(args);
const counts: Count[] = whole ? [tests, goldens()] : [tests];
const sum = (key: keyof Count): number => counts.reduce((total, count) => total + count[key], 0);
const skipped = sum("skipped");
// Said once more at the end: whoever reads a long log reads its last lines.
for (const name of unsteady) console.log(`passed only when run again, alone: ${name}`);
for (const name of tests.failures.flatMap(named)) console.log(`failed: ${name}`);
console.log(`${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = sum("failed") > 0 || sum("passed") === 0 ? 1 : 0;
