/** What a killed command of ours leaves: processes by the run folder in their words or mounts, control groups, folders. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { cgroupLayout } from "@lanista/sandbox/cgroup-layout";

export class LeftBehind {
  readonly #runDir: string;
  readonly #layout = cgroupLayout();
  /** The names of the run's folders, which its control groups have too. */
  readonly #owners = new Set<string>();

  constructor(runDir: string) {
    this.#runDir = runDir;
  }

  /** Every process that works in the run folder, or names it: the launcher's chain, the runtime, its helpers, the boxes' own. */
  processes(): string[] {
    const found: string[] = [];
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        const state = /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
        const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8");
        if (state !== "Z" && (words.includes(this.#runDir) || mounts.includes(this.#runDir)))
          found.push(`${pid} ${words}`);
      } catch {
        // It has gone meanwhile.
      }
    }
    return found;
  }

  hasBoxes(): boolean {
    return this.processes().some((words) => words.includes("unshare"));
  }

  /** Milliseconds until no process was left; 10 s at most. */
  async gone(): Promise<number> {
    const began = performance.now();
    while (this.processes().length > 0 && performance.now() - began < 10_000) await sleep(10);
    return performance.now() - began;
  }

  /** Folders of the run folder; their control groups are looked for from now on. */
  folders(): string[] {
    const names = readdirSync(this.#runDir);
    for (const name of names) this.#owners.add(name);
    return names;
  }

  groups(): string[] {
    return this.#layout.all.flatMap((place) =>
      existsSync(place) ? readdirSync(place).filter((name) => this.#owners.has(name)) : [],
    );
  }
}
