/**
 * What of its bound our control group has filled with files that the kernel would give back at once. It counts as used there, so
 * that a container in which many files were read would seem full for ever, and its worker would take no jobs.
 */
import { readFile } from "node:fs/promises";

const ROOT = "/sys/fs/cgroup";

/** Bytes; 0 where nothing can be known. */
export async function reclaimableBytes(): Promise<number> {
  const groups = await readFile("/proc/self/cgroup", "utf8").catch(() => "");
  for (const { folder, field } of placesOf(groups)) {
    const stat = await readFile(`${folder}/memory.stat`, "utf8").catch(() => undefined);
    if (stat !== undefined) return fieldOf(stat, field);
  }
  return 0;
}

interface Place {
  readonly folder: string;
  readonly field: string;
}

/** Of `/proc/self/cgroup`. In a container the path may be the host's, which is not there: then the root is the group's own. */
export function placesOf(groups: string): Place[] {
  const lines = groups
    .split("\n")
    .filter((line) => line.includes(":"))
    .map((line) => {
      const [, controllers = "", ...path] = line.split(":");
      return { controllers: controllers.split(","), path: path.join(":").replace(/\/$/, "") };
    });
  const first = lines.find(({ controllers }) => controllers.includes("memory"));
  if (first !== undefined)
    return [first.path, ""].map((path) => ({ folder: `${ROOT}/memory${path}`, field: "total_inactive_file" }));
  const unified = lines.find(({ controllers }) => controllers[0] === "");
  if (unified === undefined) return [];
  return [unified.path, ""].map((path) => ({ folder: `${ROOT}${path}`, field: "inactive_file" }));
}

export function fieldOf(stat: string, field: string): number {
  const line = stat.split("\n").find((each) => each.startsWith(`${field} `));
  const bytes = Number(line?.slice(field.length + 1));
  return Number.isFinite(bytes) && bytes > 0 ? bytes : 0;
}
