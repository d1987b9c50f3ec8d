/**
 * Runs the benchmarks one after the other, each in a process of its own, prints their figures and writes them as one JSON.
 *
 * Figures are what one run on one machine showed: compare the columns of a line, which were taken in turns, and not lines
 * of two runs. A goal that is missed is said to be missed and is no failure: the exit status says only whether everything
 * could be measured.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, release } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Report } from "./lib/figures.ts";
import { figureText, goalsText } from "./lib/text.ts";

/**
 * What is kept on one core: asker and answerer in turn never run at once, and on two cores most of what they show is how
 * long the host takes to wake an idle one, which swings by the factor of five.
 */
const PINNED = ["question"];

const BENCHMARKS = [
  "start",
  "question",
  "matches",
  "random-play",
  "jobs",
  "executor",
  "ladder-board",
  "packages",
  "grading",
];

/** First line of a program's own word on its version; null where it is not there. */
function versionOf(program: string, ...args: readonly string[]): string | null {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .split("\n")[0]!
      .trim();
  } catch {
    return null;
  }
}

function peerVersions(): Record<string, string> | null {
  if (versionOf(join(process.env.BENCH_VENV ?? "/nonexistent", "bin", "python"), "--version") === null) return null;
  const pins = readFileSync(join(import.meta.dirname, "peers", "requirements.txt"), "utf8");
  const wanted = /^(kaggle-environments|open-spiel|pettingzoo|gymnasium|celery)==(\S+)$/gm;
  return Object.fromEntries([...pins.matchAll(wanted)].map(([, name, version]) => [name!, version!]));
}

async function run(benchmark: string): Promise<Report | undefined> {
  const pin = PINNED.includes(benchmark) && versionOf("taskset", "--version") !== null ? ["taskset", "-c", "0"] : [];
  const words = [...pin, process.execPath, ...process.execArgv, join(import.meta.dirname, `${benchmark}.ts`)];
  const child = spawn(words[0]!, words.slice(1), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const code = await new Promise((end) => child.once("close", end));
  if (code === 0) return JSON.parse(text);
  console.error(`bench: ${benchmark} ended with status ${code} and has no figures`);
  return undefined;
}

const [file = join(import.meta.dirname, "..", ".cache", "bench.json"), ...only] = process.argv.slice(2);
const unknown = only.filter((name) => !BENCHMARKS.includes(name));
if (unknown.length > 0) {
  console.error(`bench: no benchmark ${unknown.join(", ")}; there are ${BENCHMARKS.join(", ")}`);
  process.exit(2);
}

const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  arch: arch(),
  kernel: release(),
  node: process.version,
  python: versionOf(process.env.BENCH_PYTHON ?? "python3", "--version"),
  crun: versionOf("crun", "--version"),
  runc: versionOf("runc", "--version"),
  runsc: versionOf("runsc", "--version"),
  peers: peerVersions(),
  loadBefore: loadavg()[0]!,
};
console.log(
  `${machine.cores} cores (${machine.cpu}), load ${machine.loadBefore.toFixed(1)} before; medians of interleaved rounds`,
);
if (machine.peers === null) console.log("The peers are not installed: their columns are empty.");

const reports: Report[] = [];
const wanted = only.length > 0 ? only : BENCHMARKS;
for (const benchmark of wanted) {
  const report = await run(benchmark);
  if (report === undefined) continue;
  reports.push(report);
  for (const figure of report.figures) console.log(`\n${figureText(figure)}`);
  for (const note of report.notes) console.log(`  ${note}`);
}
console.log(`\n${goalsText(reports.flatMap((report) => report.goals))}`);
mkdirSync(dirname(resolve(file)), { recursive: true });
writeFileSync(file, `${JSON.stringify({ taken: new Date().toISOString(), machine, reports }, undefined, 2)}\n`);
console.log(`\nAll figures: ${file}`);
process.exitCode = reports.length === wanted.length ? 0 : 1;
