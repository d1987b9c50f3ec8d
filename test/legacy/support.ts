/** Bundle pairs, graded by us and as aiVLE's own worker does it. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { LegacyPackages } from "@lanista/arena/legacy/legacy-packages";
import { LegacyBench } from "@lanista/arena/legacy/testing";
import type { LegacyGrade } from "@lanista/arena/legacy/types";
import { upstreamNeeds } from "@lanista/arena/legacy/upstream";
import type { PackageSet } from "@lanista/sandbox/python/package-sets";
import { PackagesError } from "@lanista/sandbox/python/packages-error";

const run = promisify(execFile);
const here = import.meta.dirname;
const root = join(here, "..", "..");
const guestDir = join(root, "guest");
const MiB = 1024 * 1024;

export interface Original {
  readonly ok: boolean;
  readonly raw_log: string;
  readonly result: string | null;
  readonly error: string | null;
  /** What the site notes down of the result: its repr. */
  readonly shown?: string;
}

export interface Pair {
  readonly grader: string;
  readonly agent: string;
}

export interface PairLimits {
  readonly ramMiB?: number;
  readonly seconds?: number;
}

export class Comparison {
  readonly bench: LegacyBench;
  readonly #dir: string;
  readonly #sets: LegacyPackages;
  readonly #set: PackageSet;
  #made = 0;

  private constructor(bench: LegacyBench, dir: string, sets: LegacyPackages, set: PackageSet) {
    this.bench = bench;
    this.#dir = dir;
    this.#sets = sets;
    this.#set = set;
  }

  /** Null where the bundles' packages cannot be had; where CI is set that is an error instead. */
  static async open(): Promise<Comparison | null> {
    const bench = await LegacyBench.open();
    const dir = await mkdtemp(join(tmpdir(), "lanista-original-"));
    // Kept from run to run: building them takes longer than all else here.
    const cacheDir = join(root, ".cache", "legacy");
    const sets = await LegacyPackages.open({ host: bench.host, guestDir, cacheDir });
    const text = await readFile(join(here, "bundles/suite/grader/requirements.txt"), "utf8");
    try {
      const set = await sets.ensure(upstreamNeeds(text).requirements);
      return new Comparison(bench, dir, sets, set);
    } catch (error) {
      await sets.close();
      await bench.close();
      if (process.env.CI !== undefined || !(error instanceof PackagesError) || error.kind !== "infra") throw error;
      return null;
    }
  }

  /** A pair of the folder bundles/, the agent's files replaced or added to by texts. */
  async pair(name: string, agent: Readonly<Record<string, string>> = {}): Promise<Pair> {
    const at = join(this.#dir, `pair-${this.#made++}`);
    await cp(join(here, "bundles", name), at, { recursive: true });
    for (const [file, text] of Object.entries(agent)) await writeFile(join(at, "agent", file), text);
    return { grader: join(at, "grader"), agent: join(at, "agent") };
  }

  async ours(pair: Pair, { ramMiB = 0, seconds = 30 }: PairLimits = {}): Promise<LegacyGrade> {
    const limits = { ramBytes: ramMiB * MiB, runSeconds: seconds };
    const packages = (requirements: string, signal?: AbortSignal): Promise<PackageSet> =>
      this.#sets.ensure(requirements, signal === undefined ? {} : { signal });
    return await this.bench.gradeFolders({ ...pair, limits, packages });
  }

  async original(pair: Pair, { ramMiB = 0, seconds = 30 }: PairLimits = {}): Promise<Original> {
    const folder = join(this.#dir, `original-${this.#made++}`);
    const venv = this.#set.mounts.find(({ target }) => target === "/packages")!.source;
    const upstream = ["aivle_grader-0.1.3", "aivle_gym-0.2.0"].map((name) => join(guestDir, "legacy/upstream", name));
    // A worker's own Python has none of the bundle's packages.
    const words = [join(here, "original.py"), venv, pair.grader, pair.agent, folder, `${ramMiB}`, `${seconds}`];
    const { stdout } = await run("/usr/bin/python3", [...words, ...upstream], { maxBuffer: 64 * MiB });
    return JSON.parse(stdout) as Original;
  }

  async close(): Promise<void> {
    this.#set.release();
    await this.#sets.close();
    await this.bench.close();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
