/**
 * Where this process stands in the host's control groups, and where boxes may be put.
 *
 * v1: one hierarchy a controller, under /sys/fs/cgroup. v2: one hierarchy for all. Hybrid: v1 with an (empty) v2 mount
 * at /sys/fs/cgroup/unified. Groups are made below the process's own (v1) or below the nearest ancestor where the
 * needed controllers can be switched on (v2), so that whatever limits the host put on us hold for our boxes too.
 */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export const CONTROLLERS = ["cpu", "cpuacct", "memory", "pids"] as const;
export type Controller = (typeof CONTROLLERS)[number];

export interface CgroupLayout {
  readonly mode: "v1" | "hybrid" | "v2" | "none";
  /** Controller → the folder below which groups can be made. */
  readonly parents: ReadonlyMap<Controller, string>;
  /** Every hierarchy's folder of ours, also of controllers not used here: a runtime may make groups there. */
  readonly all: readonly string[];
  /** Controller → why it cannot be used, and what to do. */
  readonly missing: ReadonlyMap<Controller, string>;
}

interface Mount {
  readonly root: string;
  readonly target: string;
  readonly type: string;
  readonly superOptions: readonly string[];
}

function cgroupMounts(): Mount[] {
  const mounts: Mount[] = [];
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const [left, right] = line.split(" - ");
    if (left === undefined || right === undefined) continue;
    const fields = left.split(" ");
    const [type, , superOptions] = right.split(" ");
    if (type !== "cgroup" && type !== "cgroup2") continue;
    mounts.push({ root: fields[3]!, target: fields[4]!, type, superOptions: superOptions!.split(",") });
  }
  return mounts;
}

/** Controller list (empty for v2) → path, from /proc/<pid>/cgroup. */
function groupsOf(pid: number | "self"): Map<string, string> {
  const groups = new Map<string, string>();
  for (const line of readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n")) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match) for (const name of match[1]!.split(",")) groups.set(name, match[2]!);
  }
  return groups;
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The folder of the group `path` below a mount that may show only a part of the hierarchy. */
function folder(mount: Mount, path: string): string {
  const below =
    mount.root !== "/" && (path === mount.root || path.startsWith(`${mount.root}/`))
      ? path.slice(mount.root.length)
      : path;
  // Without a slash at its end, for it is compared with the mount's own folder.
  return below === "/" ? mount.target : join(mount.target, below);
}

/**
 * Controller → the folder of the group that a process is in, for those that this process can see. Throws where there is no
 * such process.
 */
export function groupFolders(pid: number): ReadonlyMap<Controller, string> {
  const groups = groupsOf(pid);
  const folders = new Map<Controller, string>();
  const mounts = cgroupMounts();
  const v1 = mounts.some((mount) => mount.type === "cgroup");
  for (const controller of CONTROLLERS) {
    const mount = mounts.find(
      (one) => one.type === (v1 ? "cgroup" : "cgroup2") && (!v1 || one.superOptions.includes(controller)),
    );
    const path = groups.get(v1 ? controller : "");
    if (mount === undefined || path === undefined) continue;
    const place = folder(mount, path);
    if (existsSync(place)) folders.set(controller, place);
  }
  return folders;
}

export function cgroupLayout(): CgroupLayout {
  const mounts = cgroupMounts();
  const own = groupsOf("self");
  const parents = new Map<Controller, string>();
  const missing = new Map<Controller, string>();
  const v1 = mounts.filter((mount) => mount.type === "cgroup");
  const v2 = mounts.find((mount) => mount.type === "cgroup2");
  if (v1.length > 0) {
    const all: string[] = [];
    for (const mount of v1) {
      const names = mount.superOptions.filter((name) => own.has(name));
      const path = names.length > 0 ? own.get(names[0]!) : undefined;
      if (path === undefined) continue;
      const place = folder(mount, path);
      if (!existsSync(place)) continue;
      all.push(place);
      for (const controller of CONTROLLERS) {
        if (!names.includes(controller)) continue;
        if (writable(place)) parents.set(controller, place);
        else
          missing.set(
            controller,
            `${place} is not writable for this user; run as root, or on a host with cgroup v2 and delegation`,
          );
      }
    }
    if (v2) all.push(folder(v2, own.get("") ?? "/"));
    for (const controller of CONTROLLERS)
      if (!parents.has(controller) && !missing.has(controller))
        missing.set(controller, `no cgroup v1 mount of the ${controller} controller`);
    return { mode: v2 ? "hybrid" : "v1", parents, all, missing };
  }
  if (!v2) {
    for (const controller of CONTROLLERS) missing.set(controller, "no cgroup file system is mounted");
    return { mode: "none", parents, all: [], missing };
  }
  const place = delegated(v2, own.get("") ?? "/");
  const have =
    place === undefined
      ? new Set<string>()
      : new Set(readFileSync(join(place, "cgroup.controllers"), "utf8").trim().split(/\s+/));
  for (const controller of CONTROLLERS) {
    const needed = controller === "cpuacct" ? "cpu" : controller;
    if (place === undefined)
      missing.set(
        controller,
        "no writable cgroup above this process; start it with `systemd-run --user --scope -p Delegate=yes …`",
      );
    else if (!have.has(needed)) missing.set(controller, `the ${needed} controller is not delegated to ${place}`);
    else parents.set(controller, place);
  }
  return { mode: "v2", parents, all: place === undefined ? [] : [place], missing };
}

/**
 * The nearest group, from the process's own upwards, below which ours can be made: writable, and either handing the
 * controllers down already or able to (v2 lets only a group without processes of its own do that, the root excepted).
 */
function delegated(mount: Mount, own: string): string | undefined {
  let fallback: string | undefined;
  let place = folder(mount, own);
  while (place.startsWith(mount.target) && existsSync(join(place, "cgroup.procs"))) {
    if (!writable(place) || !writable(join(place, "cgroup.procs")) || !writable(join(place, "cgroup.subtree_control")))
      break;
    const words = (file: string): Set<string> => new Set(readFileSync(join(place, file), "utf8").trim().split(/\s+/));
    const handed = words("cgroup.subtree_control");
    const offered = words("cgroup.controllers");
    // The true root alone has no type; the top of a cgroup namespace looks like it, but is a group like others.
    const empty =
      !existsSync(join(place, "cgroup.type")) || readFileSync(join(place, "cgroup.procs"), "utf8").trim() === "";
    const needed = ["cpu", "memory", "pids"];
    if (needed.every((name) => handed.has(name) || (empty && offered.has(name)))) return place;
    if (empty) fallback ??= place;
    if (place === mount.target) break;
    place = dirname(place);
  }
  return fallback;
}
