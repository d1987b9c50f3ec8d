/** Bundle pairs, graded by us and as aiVLE's own worker does it. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { LegacyBench } from "@lanista/arena/legacy/testing";
import type { LegacyGrade, LegacyPackages } from "@lanista/arena/legacy/types";
import { findPython } from "@lanista/sandbox/interpreters";
import { pythonPackages } from "../server/python.ts";

const run = promisify(execFile);
const here = import.meta.dirname;
const MiB = 1024 * 1024;

export interface Original {
  readonly ok: boolean;
  readonly raw_log: string;
  readonly result: string | null;
  readonly error: string | null;
  /** What the site notes down of the result: its repr. */
  readonly shown?: string;
}

export interface PairLimits {
  readonly ramMiB?: number;
  readonly seconds?: number;
}

/** Null where the packages cannot be had. */
export const venv = pythonPackages(join(here, "requirements.txt"));

export class Comparison {
  readonly bench: LegacyBench;
  readonly #dir: string;
  readonly #packages: LegacyPackages;
  #made = 0;

  private constructor(bench: LegacyBench, dir: string, packages: LegacyPackages) {
    this.bench = bench;
    this.#dir = dir;
    this.#packages = packages;
  }

  static async open(): Promise<Comparison> {
    const python = await findPython(join(venv!, "bin/python"));
    const packages = { key: "test", mounts: python.mounts, python: python.path, release: () => {} };
    return new Comparison(await LegacyBench.open(), await mkdtemp(join(tmpdir(), "lanista-original-")), packages);
  }

  /** A pair of the folder bundles/, the agent's files replaced or added to by texts. */
  async pair(name: string, agent: Readonly<Record<string, string>> = {}): Promise<{ grader: string; agent: string }> {
    const at = join(this.#dir, `pair-${this.#made++}`);
    await cp(join(here, "bundles", name), at, { recursive: true });
    for (const [file, text] of Object.entries(agent)) await writeFile(join(at, "agent", file), text);
    return { grader: join(at, "grader"), agent: join(at, "agent") };
  }

  async ours(
    pair: { grader: string; agent: string },
    { ramMiB = 0, seconds = 30 }: PairLimits = {},
  ): Promise<LegacyGrade> {
    const limits = { ramBytes: ramMiB * MiB, runSeconds: seconds };
    return await this.bench.gradeFolders({ ...pair, limits, packages: async () => this.#packages });
  }

  async original(
    pair: { grader: string; agent: string },
    { ramMiB = 0, seconds = 30 }: PairLimits = {},
  ): Promise<Original> {
    const folder = join(this.#dir, `original-${this.#made++}`);
    // A worker's own Python has none of the bundle's packages.
    const words = [join(here, "original.py"), venv!, pair.grader, pair.agent, folder, `${ramMiB}`, `${seconds}`];
    const { stdout } = await run("/usr/bin/python3", words, { maxBuffer: 64 * MiB });
    return JSON.parse(stdout) as Original;
  }

  async close(): Promise<void> {
    await this.bench.close();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
