/**
 * Runs everything that tests, and ends with one line that adds it up: `N passed, N failed[, N skipped]`. The status is 0
 * only if nothing failed. Arguments go to vitest: `node scripts/test.ts packages/games`; the goldens are compared only
 * without any.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const report = join(root, ".cache", "test", "vitest.json");

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function start(command: string, args: readonly string[]): number {
  const ended = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (ended.error !== undefined) console.error(`${command} could not be started: ${ended.error.message}`);
  return ended.status ?? 1;
}

function vitest(args: readonly string[]): Count {
  mkdirSync(join(root, ".cache", "test"), { recursive: true });
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
    return { passed: 0, failed: 1, skipped: 0 };
  }
  // A file that cannot even be loaded has no tests to count, and counts as one that failed.
  const unloaded = found.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  const failed = found.numFailedTests + unloaded.length;
  for (const file of found.testResults.filter((each) => each.status === "failed")) {
    const names = file.assertionResults.filter((each) => each.status === "failed").map((each) => each.fullName);
    for (const name of names.length > 0 ? names : ["(could not be loaded)"]) {
      failures.push(`${relative(root, file.name)}: ${name}`);
    }
  }
  return {
    passed: found.numPassedTests,
    // An error outside every test shows in the status alone.
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: found.numPendingTests + found.numTodoTests,
  };
}

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
const failures: string[] = [];
const counts = args.length === 0 ? [vitest(args), goldens()] : [vitest(args)];
const sum = (key: keyof Count): number => counts.reduce((total, count) => total + count[key], 0);
const skipped = sum("skipped");
// Said once more at the end: whoever reads a long log reads its last lines.
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = sum("failed") > 0 || sum("passed") === 0 ? 1 : 0;
