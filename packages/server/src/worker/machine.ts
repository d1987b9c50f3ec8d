/** What the machine has, and has free at the moment. */
import { execFile } from "node:child_process";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { ResourcesRow } from "../db/types.ts";
import { reclaimableBytes } from "./page-cache.ts";

export type Machine = Required<ResourcesRow>;

const run = promisify(execFile);
/** CPUs are looked at over this time; a shorter one says more of the moment than of the machine. */
const CPU_WINDOW_MS = 3000;
/** Before this nothing is known of them: whoever asks at the start waits so long. */
const FIRST_WINDOW_MS = 500;
const GPU_EVERY_MS = 10_000;
/** What was read of the machine is as good so long: a worker with many short jobs asks hundreds of times a second. */
const FREE_EVERY_MS = 250;

interface CpuTimes {
  readonly at: number;
  readonly idle: number;
  readonly all: number;
}

function cpuTimes(): CpuTimes {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { at: performance.now(), idle, all };
}

/** Bytes of a GPU's memory. */
export interface GpuMemory {
  readonly total: number;
  readonly free: number;
}

interface Gpu extends GpuMemory {
  /** What CDI calls it: its number, or its UUID. */
  readonly names: readonly string[];
}

const NO_MEMORY: GpuMemory = { total: 0, free: 0 };

/** By nvidia-smi; none where that is not installed. */
async function readGpus(): Promise<readonly Gpu[]> {
  try {
    const query = ["--query-gpu=index,uuid,memory.total,memory.free", "--format=csv,noheader,nounits"];
    const { stdout } = await run("nvidia-smi", query, { timeout: 5000 });
    const gpus = stdout
      .trim()
      .split("\n")
      .map((line) => line.split(",").map((cell) => cell.trim()))
      .map(([index = "", uuid = "", total, free]) => ({
        names: [index, uuid],
        total: Number(total) * 1024 ** 2,
        free: Number(free) * 1024 ** 2,
      }));
    return gpus.every(({ total, free }) => Number.isFinite(total) && Number.isFinite(free)) ? gpus : [];
  } catch {
    return [];
  }
}

/** Of the fullest one. */
function leastOf(gpus: readonly Gpu[]): GpuMemory {
  if (gpus.length === 0) return NO_MEMORY;
  return {
    total: Math.min(...gpus.map(({ total }) => total)),
    free: Math.min(...gpus.map(({ free }) => free)),
  };
}

export class MachineWatch {
  readonly total: Machine;
  #before: CpuTimes = cpuTimes();
  /** Undefined until they were looked at over the first window. */
  #idleCpus: number | undefined;
  #gpus: readonly Gpu[];
  #gpusAt = performance.now();
  #free: { readonly at: number; readonly machine: Machine } | undefined;

  private constructor(gpus: readonly Gpu[]) {
    this.#gpus = gpus;
    const constrained = process.constrainedMemory();
    this.total = {
      cpus: availableParallelism(),
      memoryBytes: Math.min(totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY),
      gpus: gpus.length,
      vramBytes: leastOf(gpus).total,
    };
  }

  static async start(): Promise<MachineWatch> {
    return new MachineWatch(await readGpus());
  }

  /**
   * CPUs and memory that further jobs may have: all that there is, less what those that run asked for; of memory no more than is
   * free. Of GPUs the shelf knows.
   */
  async freeBeside(needs: Pick<Machine, "cpus" | "memoryBytes">): Promise<Pick<Machine, "cpus" | "memoryBytes">> {
    const { total } = this;
    const now = await this.free();
    return {
      cpus: Math.max(0, total.cpus - needs.cpus),
      memoryBytes: Math.max(0, Math.min(now.memoryBytes, total.memoryBytes - needs.memoryBytes)),
    };
  }

  /** CPUs idle over the last seconds; memory that programs could have, by the host and by our own control group. */
  async free(): Promise<Machine> {
    if (this.#free !== undefined && performance.now() - this.#free.at < FREE_EVERY_MS) return this.#free.machine;
    const idleCpus = await this.#idle();
    if (this.total.gpus > 0 && performance.now() - this.#gpusAt >= GPU_EVERY_MS) {
      this.#gpusAt = performance.now();
      this.#gpus = await readGpus();
    }
    const machine = {
      cpus: idleCpus,
      memoryBytes: Math.min(freemem(), process.availableMemory() + (await reclaimableBytes()), this.total.memoryBytes),
      gpus: this.#gpus.length,
      vramBytes: leastOf(this.#gpus).free,
    };
    this.#free = { at: performance.now(), machine };
    return machine;
  }

  /** As it was last read, of the device that CDI calls so ("nvidia.com/gpu=0"); of one that is not known by that, the fullest's. */
  gpuMemory(device: string): GpuMemory {
    const name = device.slice(device.indexOf("=") + 1);
    return this.#gpus.find(({ names }) => names.includes(name)) ?? leastOf(this.#gpus);
  }

  async #idle(): Promise<number> {
    const early = FIRST_WINDOW_MS - (performance.now() - this.#before.at);
    if (this.#idleCpus === undefined && early > 0) await sleep(early);
    const now = cpuTimes();
    if (this.#idleCpus === undefined || now.at - this.#before.at >= CPU_WINDOW_MS) {
      const all = now.all - this.#before.all;
      if (all > 0) this.#idleCpus = Math.max(0, ((now.idle - this.#before.idle) / all) * this.total.cpus);
      this.#before = now;
    }
    return this.#idleCpus ?? this.total.cpus;
  }
}
