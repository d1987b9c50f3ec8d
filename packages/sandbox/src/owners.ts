/**
 * The folders and control groups of host processes. Each host process has one folder of its own below the run folder and
 * one control group of the same name in each hierarchy; the name says which process that is, so that whoever comes next can
 * tell what a killed one left behind, and remove it.
 */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "./cgroup.ts";
import { type CgroupLayout, cgroupLayout } from "./cgroup-layout.ts";
import { SandboxError } from "./errors.ts";

/** Process id, its start time, its pid namespace, and a random part. */
const NAME = /^lanista-(\d+)-(\d+)-(\d+)-[0-9a-f]{8}$/;
const PLACES = "cgroups.json";

/** LANISTA_RUN_DIR, or a folder of this user's alone. */
export function runFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const chosen = process.env.LANISTA_RUN_DIR;
  if (chosen !== undefined && chosen !== "") {
    // It goes into a shell's words and an overlay's options.
    if (!/^\/[^'":,\\\n]*$/.test(chosen))
      throw new SandboxError(
        "refused",
        `LANISTA_RUN_DIR must be an absolute path without ' " : , \\ or line breaks, not ${chosen}`,
      );
    return chosen;
  }
  if (uid === 0) return "/run/lanista";
  return join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), process.env.XDG_RUNTIME_DIR ? "lanista" : `lanista-${uid}`);
}

/** A process's start time in clock ticks since boot: with the id it names a process for good. Undefined if it is gone. */
function startTime(pid: number | "self"): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything; the fields after the last one are numbers. Field 22 is the start time.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Two containers may share a run folder: one's process ids say nothing in the other. */
function pidNamespace(): string {
  return String(statSync("/proc/self/ns/pid").ino);
}

/** A new name that says of what bears it that it is this process's. */
export function ownerName(): string {
  return `lanista-${process.pid}-${startTime("self")}-${pidNamespace()}-${randomBytes(4).toString("hex")}`;
}

/** Whether `name` is that of a host process which has gone. False for names of another kind, or of another pid namespace. */
export function isDeadOwner(name: string): boolean {
  const match = NAME.exec(name);
  return match !== null && match[3] === pidNamespace() && startTime(Number(match[1])) !== match[2];
}

export interface Owner {
  readonly name: string;
  readonly folder: string;
}

/**
 * Under /tmp somebody else could have made the run folder first: he would own every bundle in it, and name the processes to
 * kill in what looks like a killed host's leftovers. Throws SandboxError `refused`; a folder that is not there passes.
 */
function refuseStrangers(runDir: string): void {
  const uid = process.getuid?.() ?? 0;
  // Both of a link and of what it leads to.
  const found = [lstatSync, statSync].map((look) => look(runDir, { throwIfNoEntry: false }));
  for (const one of found)
    if (one !== undefined && (one.uid !== uid || (!one.isSymbolicLink() && (one.mode & 0o022) !== 0)))
      throw new SandboxError(
        "refused",
        `${runDir} belongs to another user, or others may write to it; remove it, or set LANISTA_RUN_DIR`,
      );
}

/**
 * Makes the folder, readable for this user alone, and writes down where this process's control groups are. Throws
 * SandboxError `refused` if the run folder is not this user's alone.
 */
export function makeOwner(runDir: string, layout: CgroupLayout): Owner {
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  refuseStrangers(runDir);
  const name = ownerName();
  const folder = join(runDir, name);
  mkdirSync(folder, { mode: 0o700 });
  // A umask may have taken bits away that the runtime's own user needs.
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, PLACES), JSON.stringify(layout.all.map((place) => join(place, name))));
  return { name, folder };
}

/** Whether this user may remove it: where several users share a place, each clears up after himself; root after all. */
function ours(path: string): boolean {
  const uid = process.getuid?.() ?? 0;
  return uid === 0 || statSync(path, { throwIfNoEntry: false })?.uid === uid;
}

/**
 * Removes what killed host processes left: processes, control groups, folders. Says what it removed. Throws SandboxError
 * `refused` if the run folder is not this user's alone: then nothing in it can be believed.
 */
export async function removeLeftovers(runDir: string, layout: CgroupLayout = cgroupLayout()): Promise<string[]> {
  refuseStrangers(runDir);
  const removed: string[] = [];
  const groups = new Set<string>();
  for (const place of layout.all)
    if (existsSync(place))
      for (const name of readdirSync(place))
        if (isDeadOwner(name) && ours(join(place, name))) groups.add(join(place, name));
  const folders = existsSync(runDir)
    ? readdirSync(runDir)
        .filter(isDeadOwner)
        .map((name) => join(runDir, name))
    : [];
  for (const folder of folders) for (const group of placesIn(folder)) if (existsSync(group)) groups.add(group);
  for (const group of groups) {
    await removeTree(group);
    removed.push(group);
  }
  for (const folder of folders) {
    await rm(folder, { recursive: true, force: true });
    removed.push(folder);
  }
  return removed;
}

function placesIn(folder: string): string[] {
  try {
    const places: unknown = JSON.parse(readFileSync(join(folder, PLACES), "utf8"));
    return Array.isArray(places)
      ? places.filter((place): place is string => typeof place === "string" && NAME.test(place.split("/").at(-1)!))
      : [];
  } catch {
    return [];
  }
}
