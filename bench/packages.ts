/**
 * Handing out a set of packages that is built already, in a process that did so before and in one that has just begun, beside
 * what others do for each submission: a virtual environment and pip, which finds its downloads in its cache.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import { PackageSets } from "@lanista/sandbox/python/package-sets";
import { type Goal, goal, median, type Report, short, spread } from "./lib/figures.ts";
import { type Contestant, interleave, scaled } from "./lib/rounds.ts";

const ROUNDS = scaled(10);
/** Takes seconds. */
const PIP_ROUNDS = scaled(3);
const OFTEN = 20;
const REQUIREMENTS = "six==1.17.0\niniconfig==2.1.0\n";
const ROOT = join(import.meta.dirname, "..");
const milliseconds = (value: number): string => `${short(value)} ms`;

const python = await findPython(process.env.BENCH_PYTHON ?? "python3");
const cacheDir = join(ROOT, ".cache", "bench-packages");
const open = (host: SandboxHost): Promise<PackageSets> =>
  PackageSets.open({ host, guestDir: join(ROOT, "guest"), python, cacheDir });

async function handOut(sets: PackageSets): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < OFTEN; i++) (await sets.ensure(REQUIREMENTS)).release();
  return (performance.now() - began) / OFTEN;
}

/** As a process that has just begun does it. */
async function opened(host: SandboxHost): Promise<number> {
  const began = performance.now();
  const sets = await open(host);
  (await sets.ensure(REQUIREMENTS)).release();
  const took = performance.now() - began;
  await sets.close();
  return took;
}

async function pip(dir: string): Promise<number> {
  const place = mkdtempSync(join(dir, "venv-"));
  const began = performance.now();
  execFileSync(python.path, ["-m", "venv", place], { stdio: "ignore" });
  execFileSync(
    join(place, "bin/pip"),
    ["install", "--quiet", "--disable-pip-version-check", "-r", join(dir, "requirements.txt")],
    {
      stdio: "ignore",
    },
  );
  const took = performance.now() - began;
  await rm(place, { recursive: true, force: true });
  return took;
}

async function main(): Promise<Report> {
  const host = await SandboxHost.open();
  const dir = mkdtempSync(join(tmpdir(), "lanista-bench-packages-"));
  const notes: string[] = [];
  try {
    writeFileSync(join(dir, "requirements.txt"), REQUIREMENTS);
    const sets = await open(host);
    (await sets.ensure(REQUIREMENTS)).release();
    const contestants: Contestant[] = [
      { name: "again", run: () => handOut(sets) },
      { name: "first of a process", run: () => opened(host) },
    ];
    const samples = new Map(await interleave(contestants, ROUNDS));
    try {
      const slow = await interleave([{ name: "venv and pip", run: () => pip(dir) }], PIP_ROUNDS);
      samples.set("venv and pip", slow.get("venv and pip")!);
    } catch (error) {
      notes.push(`venv and pip: ${(error as Error).message.split("\n")[0]}`);
    }
    const { buildSeconds = 0 } = sets.list().at(-1) ?? {};
    notes.push(`It was built in ${short(buildSeconds)} s, in a box, from the index.`);
    await sets.close();
    const values = Object.fromEntries(
      ["again", "first of a process", "venv and pip"].map((name) => [name, spread(samples.get(name) ?? [])]),
    );
    const goals: Goal[] = ["again", "first of a process"].map((name) =>
      goal(`handing out packages, ${name}, p50`, median(samples.get(name)!), "≤", 50, milliseconds),
    );
    return {
      benchmark: "packages",
      figures: [{ what: "a set of packages that was built before", unit: "ms", values }],
      goals,
      notes,
    };
  } finally {
    await host.close();
    await rm(dir, { recursive: true, force: true });
  }
}

console.log(JSON.stringify(await main()));
