/**
 * The GPUs that a worker hands to its jobs, by their CDI names. A job has its devices for itself until it is over: none is in two
 * jobs' hands. Which a job gets is decided here; the server only counts them.
 */
import { LanistaError } from "@lanista/api/errors";
import { SandboxError } from "@lanista/sandbox/errors";
import { refuseSharedGpus } from "@lanista/sandbox/gpu/distinct-gpus";
import { VramMeter } from "@lanista/sandbox/gpu/vram-meter";
import type { ResourcesRow } from "../db/types.ts";
import type { TierAbility } from "./abilities.ts";
import type { MachineWatch } from "./machine.ts";
import type { WorkerPlan } from "./options.ts";

export type GpuCount = Required<Pick<ResourcesRow, "gpus" | "vramBytes">>;

export class GpuShelf {
  readonly #machine: MachineWatch;
  /** Whether a bound of their memory can be kept to; where not, the worker has none to offer. */
  readonly #bounded: boolean;
  readonly #all: readonly string[];
  readonly #free: Set<string>;

  private constructor(all: readonly string[], machine: MachineWatch, bounded: boolean) {
    this.#all = all;
    this.#machine = machine;
    this.#bounded = bounded;
    this.#free = new Set(all);
  }

  /** Throws LanistaError `invalid` for GPUs that boxes of this worker's could not be given. */
  static async open(
    { gpus, giveUp, log }: Pick<WorkerPlan, "gpus" | "giveUp" | "log">,
    tiers: readonly TierAbility[],
    machine: MachineWatch,
  ): Promise<GpuShelf> {
    if (gpus.length === 0) return new GpuShelf([], machine, false);
    if (!tiers.some(({ tier }) => tier === "container"))
      throw new LanistaError("invalid", "only the tier container can give GPUs, and this worker does not offer it");
    try {
      refuseSharedGpus(gpus);
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      throw new LanistaError("invalid", `worker.gpus: ${error.message}`, { cause: error });
    }
    let bounded = true;
    try {
      await (await VramMeter.open()).close();
    } catch (error) {
      bounded = giveUp.includes("vramBytes");
      if (!bounded) log.warn(`no job gets a GPU with a bound on its memory: ${(error as Error).message}`);
    }
    return new GpuShelf(gpus, machine, bounded);
  }

  get total(): GpuCount {
    return this.#count(this.#all, "total");
  }

  /** What no job has; memory of the one of them that has least. */
  get free(): GpuCount {
    return this.#count([...this.#free], "free");
  }

  #count(names: readonly string[], which: "total" | "free"): GpuCount {
    const bytes = names.map((name) => this.#machine.gpuMemory(name)[which]);
    return { gpus: names.length, vramBytes: this.#bounded && bytes.length > 0 ? Math.min(...bytes) : 0 };
  }

  /** The emptiest ones, until they are put back; undefined where there are not so many. */
  take(count: number): readonly string[] | undefined {
    if (count > this.#free.size) return undefined;
    const memory = (name: string): number => this.#machine.gpuMemory(name).free;
    const taken = [...this.#free].sort((one, other) => memory(other) - memory(one)).slice(0, count);
    for (const name of taken) this.#free.delete(name);
    return taken;
  }

  putBack(names: readonly string[]): void {
    for (const name of names) if (this.#all.includes(name)) this.#free.add(name);
  }
}
