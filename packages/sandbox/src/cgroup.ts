/**
 * The control groups of one box, made by us and not by the runtime: the counters must outlive the runtime, because they
 * say what the box died of. How a process gets into them is the launcher's business.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CgroupLayout, Controller } from "./cgroup-layout.ts";
import type { Limits } from "./types.ts";

/** What a box's counters say. Counters of controllers that are not there stay at zero. */
export interface CgroupReading {
  readonly cpuMs: number;
  readonly throttledMs: number;
  readonly peakMemoryBytes: number;
  /** How often the kernel killed for memory, and refused a new task. */
  readonly memoryKills: number;
  /** Whether the group's own limit was ever reached: a kill without that is the host's own lack of memory. */
  readonly memoryLimitReached: boolean;
  readonly pidsRefused: number;
  /** Whether the group was ever as full as its own limit allows: a refusal without that came from a group above it. */
  readonly pidsLimitReached: boolean;
}

/** Runtimes that live inside the box's groups need room of their own. */
export interface Allowance {
  readonly pids: number;
  readonly memoryBytes: number;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/**
 * Ids in a list as cgroup.procs has it. A process in a pid namespace that this one cannot see stands there as 0, and a signal
 * to 0 goes to whoever sends it.
 */
export function idsIn(list: string): number[] {
  return list
    .split("\n")
    .map(Number)
    .filter((id) => id > 0);
}

function field(text: string, name: string): number {
  for (const line of text.split("\n")) if (line.startsWith(`${name} `)) return Number(line.slice(name.length + 1));
  return 0;
}

/** On v1, where recent kernels no longer count failures: by the peak, which stays below the limit by less than one charge. */
function reachedLimit(memory: string): boolean {
  const peak = Number(read(join(memory, "memory.max_usage_in_bytes")) || 0);
  return peak >= Number(read(join(memory, "memory.limit_in_bytes")) || 0) - 1024 * 1024;
}

/**
 * On v1, and on v2 before Linux 6.11, a group counts each task that was refused in it, also those that a group above it had no
 * room for: systemd's TasksMax, an engine's limit on the container that we are in.
 */
function pidsFull(folder: string): boolean {
  const full = (group: string, used: number): boolean => used >= Number(read(join(group, "pids.max")) || Number.NaN);
  const now = (group: string): number => Number(read(join(group, "pids.current")));
  const peak = read(join(folder, "pids.peak"));
  // Two tasks that are born at once may leave the lower of two peaks: a group that is full now has been full.
  if (peak !== "") return full(folder, Math.max(Number(peak), now(folder)));
  // Before Linux 6.1 there is no peak, and a group may have been full between two looks.
  let above = dirname(folder);
  while (existsSync(join(above, "pids.max")) && !full(above, now(above))) above = dirname(above);
  return full(folder, now(folder)) || !existsSync(join(above, "pids.max"));
}

/** All of one host process's groups: one folder a hierarchy, the boxes' groups inside. */
export class OwnerCgroups {
  readonly layout: CgroupLayout;
  readonly name: string;
  /** Controller → the owner's folder there. */
  readonly #folders = new Map<Controller, string>();

  /** Makes the folders, all or none. Throws if the kernel refuses, which on v2 means: this group may not hand its controllers on. */
  constructor(layout: CgroupLayout, name: string) {
    this.layout = layout;
    this.name = name;
    try {
      for (const [controller, parent] of layout.parents) {
        const folder = join(parent, name);
        if (layout.mode === "v2" && !existsSync(folder)) handDown(parent);
        mkdirSync(folder, { recursive: true });
        this.#folders.set(controller, folder);
        if (layout.mode === "v2") handDown(folder);
      }
    } catch (error) {
      for (const folder of new Set(this.#folders.values())) rmdirSync(folder);
      throw error;
    }
  }

  /** Every limit whose controller is there is set, also one that was given up because it is coarse. */
  box(id: string, limits: Limits, allowance: Allowance): BoxCgroup {
    const folders = new Map<Controller, string>();
    try {
      for (const [controller, parent] of this.#folders) {
        const folder = join(parent, id);
        if (!existsSync(folder)) mkdirSync(folder);
        folders.set(controller, folder);
      }
      const set = (controller: Controller, file: string, value: string): void =>
        writeFileSync(join(folders.get(controller)!, file), value);
      const v2 = this.layout.mode === "v2";
      if (folders.has("memory")) {
        const bytes = String(limits.memoryBytes + allowance.memoryBytes);
        if (v2) {
          set("memory", "memory.max", bytes);
          set("memory", "memory.oom.group", "1");
          if (existsSync(join(folders.get("memory")!, "memory.swap.max"))) set("memory", "memory.swap.max", "0");
        } else {
          set("memory", "memory.limit_in_bytes", bytes);
          if (existsSync(join(folders.get("memory")!, "memory.memsw.limit_in_bytes")))
            set("memory", "memory.memsw.limit_in_bytes", bytes);
        }
      }
      if (folders.has("pids")) set("pids", "pids.max", String(limits.pids + allowance.pids));
      if (folders.has("cpu")) {
        const quota = String(Math.max(1000, Math.round(limits.cpus * 100_000)));
        if (v2) set("cpu", "cpu.max", `${quota} 100000`);
        else set("cpu", "cpu.cfs_quota_us", quota);
      }
    } catch (error) {
      for (const folder of folders.values()) if (existsSync(folder)) rmdirSync(folder);
      throw error;
    }
    return new BoxCgroup(this.layout.mode, folders);
  }

  async remove(): Promise<void> {
    for (const place of this.layout.all) await removeTree(join(place, this.name));
  }
}

function handDown(folder: string): void {
  const offered = read(join(folder, "cgroup.controllers")).trim().split(/\s+/);
  const wanted = ["cpu", "memory", "pids"].filter((name) => offered.includes(name));
  writeFileSync(join(folder, "cgroup.subtree_control"), wanted.map((name) => `+${name}`).join(" "));
}

export class BoxCgroup {
  readonly #v2: boolean;
  readonly #folders: ReadonlyMap<Controller, string>;

  constructor(mode: CgroupLayout["mode"], folders: ReadonlyMap<Controller, string>) {
    this.#v2 = mode === "v2";
    this.#folders = folders;
  }

  /**
   * Files to write "0" to, for a single-threaded process that moves itself in. On v1 that is `tasks`: moving oneself by
   * it needs no system-wide lock, where `cgroup.procs` waits for an RCU grace period, some 2 ms a controller.
   */
  get entryFiles(): string[] {
    return [...new Set(this.#folders.values())].map((folder) => join(folder, this.#v2 ? "cgroup.procs" : "tasks"));
  }

  /** Files to write another process's id to. */
  get procsFiles(): string[] {
    return [...new Set(this.#folders.values())].map((folder) => join(folder, "cgroup.procs"));
  }

  /** Process ids as this process sees them. Empty once all have gone. */
  pids(): number[] {
    const any = this.#folders.get("pids") ?? this.#folders.values().next().value;
    return any === undefined ? [] : idsIn(read(join(any, "cgroup.procs")));
  }

  /** Task ids as this process sees them. */
  tids(): number[] {
    const any = this.#folders.get("cpu") ?? this.#folders.values().next().value;
    return any === undefined ? [] : idsIn(read(join(any, this.#v2 ? "cgroup.threads" : "tasks")));
  }

  /** By the freezer, where there is one that lets SIGKILL through: on v2. Says whether. */
  setFrozen(frozen: boolean): boolean {
    if (!this.#v2 || this.#folders.size === 0) return false;
    this.#write("cgroup.freeze", frozen ? "1" : "0");
    return true;
  }

  #write(file: string, value: string): void {
    const any = this.#folders.values().next().value;
    if (any !== undefined && existsSync(join(any, file))) writeFileSync(join(any, file), value);
  }

  read(): CgroupReading {
    const cpu = this.#folders.get("cpu");
    const memory = this.#folders.get("memory");
    const pids = this.#folders.get("pids");
    const pidsRefused = pids === undefined ? 0 : field(read(join(pids, "pids.events")), "max");
    const pidsLimitReached = pids !== undefined && pidsRefused > 0 && pidsFull(pids);
    if (this.#v2) {
      const stat = cpu === undefined ? "" : read(join(cpu, "cpu.stat"));
      return {
        cpuMs: field(stat, "usage_usec") / 1e3,
        throttledMs: field(stat, "throttled_usec") / 1e3,
        peakMemoryBytes: memory === undefined ? 0 : Number(read(join(memory, "memory.peak")) || 0),
        memoryKills: memory === undefined ? 0 : field(read(join(memory, "memory.events")), "oom_kill"),
        memoryLimitReached: memory !== undefined && field(read(join(memory, "memory.events")), "max") > 0,
        pidsRefused,
        pidsLimitReached,
      };
    }
    const accounting = this.#folders.get("cpuacct");
    return {
      cpuMs: accounting === undefined ? 0 : Number(read(join(accounting, "cpuacct.usage")) || 0) / 1e6,
      throttledMs: cpu === undefined ? 0 : field(read(join(cpu, "cpu.stat")), "throttled_time") / 1e6,
      peakMemoryBytes: memory === undefined ? 0 : Number(read(join(memory, "memory.max_usage_in_bytes")) || 0),
      memoryKills: memory === undefined ? 0 : field(read(join(memory, "memory.oom_control")), "oom_kill"),
      memoryLimitReached: memory !== undefined && reachedLimit(memory),
      pidsRefused,
      pidsLimitReached,
    };
  }

  /** CPU time alone, in ms: read often. */
  cpuMs(): number {
    const folder = this.#folders.get(this.#v2 ? "cpu" : "cpuacct");
    if (folder === undefined) return 0;
    return this.#v2
      ? field(read(join(folder, "cpu.stat")), "usage_usec") / 1e3
      : Number(read(join(folder, "cpuacct.usage")) || 0) / 1e6;
  }

  /** Kills what is left and removes the groups. Resolves when they are gone, or throws after two seconds of trying. */
  async remove(): Promise<void> {
    for (const folder of new Set(this.#folders.values())) await removeTree(folder);
  }
}

/** Removes a group and those below it, killing what still runs in them. Nothing happens if it is not there. */
export async function removeTree(folder: string): Promise<void> {
  for (let attempt = 0; existsSync(folder); attempt++) {
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true }))
        if (entry.isDirectory()) await removeTree(join(folder, entry.name));
      rmdirSync(folder);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      if (attempt >= 200)
        throw new Error(`the cgroup ${basename(folder)} cannot be removed: ${(error as Error).message}`);
      for (const pid of idsIn(read(join(folder, "cgroup.procs")))) signal(pid, "SIGKILL");
      await sleep(attempt < 20 ? 1 : 10);
    }
  }
}

/** Sends a signal; a process that has gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
