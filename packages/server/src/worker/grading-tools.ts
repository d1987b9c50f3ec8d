/**
 * What gradings need beside agents' boxes, opened when it is first asked for: Python packages, boxes of bundled environments, and boxes of
 * aiVLE's bundles. Most workers never grade, and what is here looks after files of its own.
 */
import type { Interpreter } from "@lanista/arena/agents/command";
import { EnvironmentBoxes } from "@lanista/arena/bundled/environment-boxes";
import { LegacyBoxes } from "@lanista/arena/legacy/legacy-boxes";
import type { SandboxHost } from "@lanista/sandbox/host";
import { type PackageSet, PackageSets } from "@lanista/sandbox/python/package-sets";
import type { GiveUp, Runtime, Tier } from "@lanista/sandbox/types";
import type { PackageWishes } from "../config/package-settings.ts";

export interface GradingWalls {
  readonly tier: Tier;
  readonly runtime?: Runtime;
  readonly giveUp?: readonly GiveUp[];
  readonly guestDir: string;
}

export class GradingTools {
  readonly #host: SandboxHost;
  readonly #python: Interpreter | undefined;
  readonly #wishes: PackageWishes | undefined;
  #sets: Promise<PackageSets> | undefined;
  readonly #legacy = new Map<string, LegacyBoxes>();

  constructor(host: SandboxHost, python: Interpreter | undefined, wishes?: PackageWishes) {
    this.#wishes = wishes;
    this.#host = host;
    this.#python = python;
  }

  /** Of the walls of whoever asks first. What is built is the same for all. */
  packages(walls: GradingWalls): (requirements: string, signal?: AbortSignal) => Promise<PackageSet> {
    return async (requirements, signal) => {
      const python = this.#python === undefined ? {} : { python: this.#python };
      this.#sets ??= PackageSets.open({ host: this.#host, ...this.#wishes, ...walls, ...python });
      const opening = this.#sets;
      const sets = await opening.catch((error: unknown) => {
        // What was in the way may be gone the next time.
        if (this.#sets === opening) this.#sets = undefined;
        throw error;
      });
      return await sets.ensure(requirements, signal === undefined ? {} : { signal });
    };
  }

  environments(walls: GradingWalls): EnvironmentBoxes {
    const python = this.#python === undefined ? {} : { python: this.#python };
    return new EnvironmentBoxes(this.#host, { ...walls, ...python, packages: this.packages(walls) });
  }

  /** `gpus`: of the one job that they are for. Throws an Error where there is no Python. */
  legacy(walls: GradingWalls, gpus: readonly string[] = []): LegacyBoxes {
    const key = [walls.tier, walls.runtime, ...[...gpus].sort()].join(" ");
    const known = this.#legacy.get(key);
    if (known !== undefined) return known;
    if (this.#python === undefined) throw new Error("there is no Python on this host, which aiVLE's bundles need");
    const boxes = new LegacyBoxes(this.#host, { ...walls, python: this.#python, ...(gpus.length > 0 && { gpus }) });
    this.#legacy.set(key, boxes);
    return boxes;
  }

  async close(): Promise<void> {
    for (const boxes of this.#legacy.values()) await boxes.close();
    await (await this.#sets?.catch(() => undefined))?.close();
  }
}
