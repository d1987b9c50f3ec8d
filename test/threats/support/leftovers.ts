/**
 * What is left of a stage's boxes on this host, found without asking the sandbox: processes by their environment, command
 * line and control group, mounts in the mount table, control groups in every hierarchy, folders in the run folder.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Leftovers {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly folders: readonly string[];
}

export const NOTHING: Leftovers = { processes: [], mounts: [], cgroups: [], folders: [] };

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

interface Place {
  readonly runDir: string;
  readonly marker: string;
  readonly engineGroup?: string;
}

/** Folders below /sys/fs/cgroup with this name, and those in them. */
function cgroupsNamed(name: string): string[] {
  const found: string[] = [];
  const walk = (folder: string, depth: number): void => {
    for (const child of names(folder)) {
      const path = join(folder, child);
      if (child === name) {
        found.push(path, ...names(path).map((box) => join(path, box)));
      } else if (depth < 6) walk(path, depth + 1);
    }
  };
  walk("/sys/fs/cgroup", 0);
  return found;
}

/** The name that the host process gave to its folder and its control groups. Undefined once the host is closed. */
export function ownerName(runDir: string): string | undefined {
  return names(runDir).find((name) => name.startsWith("lanista-"));
}

/** `owner`: the host's name, noted while it lived. Its own folder and groups count too: ask for them when it is closed. */
export function leftovers(stage: Place, owner: string): Leftovers {
  const processes: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const command = text(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
    if (
      text(`/proc/${pid}/environ`).includes(stage.marker) ||
      text(`/proc/${pid}/cgroup`).includes(owner) ||
      command.includes(`${stage.runDir}/`) ||
      command.includes(stage.marker)
    )
      processes.push(`${pid} ${command.slice(0, 80)}`);
  }
  const mounts = text("/proc/self/mountinfo")
    .split("\n")
    .filter((line) => line.includes(stage.runDir));
  const folder = join(stage.runDir, owner);
  const { engineGroup } = stage;
  // The engine's own group stays while the engine does.
  const containers =
    engineGroup === undefined ? [] : cgroupsNamed(engineGroup).filter((path) => !path.endsWith(engineGroup));
  return {
    processes,
    mounts,
    cgroups: [...cgroupsNamed(owner), ...containers],
    folders: [...names(stage.runDir), ...names(folder)],
  };
}

/** As `leftovers`, of the boxes alone: what the living host keeps for itself is left out. */
export function boxLeftovers(stage: Place, owner: string): Leftovers {
  const all = leftovers(stage, owner);
  return {
    ...all,
    cgroups: all.cgroups.filter((path) => !path.endsWith(owner)),
    folders: all.folders.filter((name) => name !== owner),
  };
}
