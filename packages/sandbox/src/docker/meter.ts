/**
 * What a container has used. Where the engine runs on this very kernel its control groups are read, as for any box; else
 * the engine is asked, a few times a second. The engine removes the groups with the container, so what was read last stands.
 */
import type Docker from "dockerode";
import { z } from "zod";
import { BoxCgroup, type CgroupReading } from "../cgroup.ts";
import { groupFolders } from "../cgroup-layout.ts";

const ASK_MS = 100;

const NOTHING: CgroupReading = {
  cpuMs: 0,
  throttledMs: 0,
  peakMemoryBytes: 0,
  memoryKills: 0,
  memoryLimitReached: false,
  pidsRefused: 0,
  pidsLimitReached: false,
};

export interface Meter {
  /** As last seen; never less than before. */
  read(): CgroupReading;
  cpuMs(): number;
  /** Ids as this process sees them; none where the engine's kernel is another. */
  pids(): number[];
  tids(): number[];
  /** The groups themselves, where they can be reached. */
  readonly cgroup: BoxCgroup | undefined;
  close(): void;
}

function most(a: CgroupReading, b: CgroupReading): CgroupReading {
  return {
    cpuMs: Math.max(a.cpuMs, b.cpuMs),
    throttledMs: Math.max(a.throttledMs, b.throttledMs),
    peakMemoryBytes: Math.max(a.peakMemoryBytes, b.peakMemoryBytes),
    memoryKills: Math.max(a.memoryKills, b.memoryKills),
    memoryLimitReached: a.memoryLimitReached || b.memoryLimitReached,
    pidsRefused: Math.max(a.pidsRefused, b.pidsRefused),
    pidsLimitReached: a.pidsLimitReached || b.pidsLimitReached,
  };
}

class KernelMeter implements Meter {
  readonly cgroup: BoxCgroup;
  #last = NOTHING;

  constructor(cgroup: BoxCgroup) {
    this.cgroup = cgroup;
  }

  read(): CgroupReading {
    this.#last = most(this.#last, this.cgroup.read());
    return this.#last;
  }

  cpuMs(): number {
    return Math.max(this.#last.cpuMs, this.cgroup.cpuMs());
  }

  pids(): number[] {
    return this.cgroup.pids();
  }

  tids(): number[] {
    return this.cgroup.tids();
  }

  close(): void {}
}

const Stats = z.object({
  cpu_stats: z.object({
    cpu_usage: z.object({ total_usage: z.number() }),
    throttling_data: z.object({ throttled_time: z.number().default(0) }).optional(),
  }),
  memory_stats: z.object({ usage: z.number().default(0), max_usage: z.number().default(0) }).optional(),
});

class AskingMeter implements Meter {
  readonly cgroup = undefined;
  #last = NOTHING;
  #closed = false;

  constructor(container: Docker.Container) {
    void this.#ask(container);
  }

  async #ask(container: Docker.Container): Promise<void> {
    while (!this.#closed) {
      try {
        const answer = Stats.parse(await container.stats({ stream: false, "one-shot": true }));
        this.#last = most(this.#last, {
          ...NOTHING,
          cpuMs: answer.cpu_stats.cpu_usage.total_usage / 1e6,
          throttledMs: (answer.cpu_stats.throttling_data?.throttled_time ?? 0) / 1e6,
          peakMemoryBytes: Math.max(answer.memory_stats?.usage ?? 0, answer.memory_stats?.max_usage ?? 0),
        });
      } catch {
        // Gone, or the engine is: whoever waits for the end learns of it.
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_MS).unref());
    }
  }

  read(): CgroupReading {
    return this.#last;
  }

  cpuMs(): number {
    return this.#last.cpuMs;
  }

  pids(): number[] {
    return [];
  }

  tids(): number[] {
    return [];
  }

  close(): void {
    this.#closed = true;
  }
}

/** `pid`: the container's first process, as the engine names it. */
export function meterOf(container: Docker.Container, pid: number): Meter {
  const cgroup = groupOf(container.id, pid);
  return cgroup === undefined ? new AskingMeter(container) : new KernelMeter(cgroup);
}

/** Undefined where that process id means nothing here, or another process: its groups bear the container's name. */
function groupOf(container: string, pid: number): BoxCgroup | undefined {
  try {
    const folders = groupFolders(pid);
    if (folders.size === 0 || ![...folders.values()].every((folder) => folder.includes(container))) return undefined;
    return new BoxCgroup(new Set(folders.values()).size === 1 ? "v2" : "v1", folders);
  } catch {
    return undefined;
  }
}
