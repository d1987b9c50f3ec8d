/** What of CDI's edits becomes part of a box: device nodes, files of the driver, variables. */
import { existsSync, lstatSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { SandboxError } from "../errors.ts";
import type { CdiEdits } from "./cdi-spec.ts";

export interface GpuDevice {
  readonly path: string;
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
  readonly access: string;
}

/** A file or folder of the driver, shown as it is: read-only where nothing else is needed. */
export interface GpuMount {
  readonly source: string;
  readonly target: string;
}

export interface GpuParts {
  readonly devices: readonly GpuDevice[];
  readonly mounts: readonly GpuMount[];
  readonly env: Readonly<Record<string, string>>;
  /** Programs that the vendor would run as root in the making of a container. We run none. */
  readonly hooksLeftOut: readonly string[];
}

const DEVICE = 0o170000;
const CHARACTER = 0o020000;
const BLOCK = 0o060000;
const FOR_ALL = 0o666;

/** Linux's numbering, as makedev(3) has it. */
const major = (rdev: bigint): number => Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n));
const minor = (rdev: bigint): number => Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n));

function deviceOf(node: NonNullable<CdiEdits["deviceNodes"]>[number]): GpuDevice {
  const hostPath = node.hostPath ?? node.path;
  const found = statSync(hostPath, { throwIfNoEntry: false, bigint: true });
  const kind = found === undefined ? 0 : Number(found.mode) & DEVICE;
  const type = node.type ?? (kind === BLOCK ? "b" : kind === CHARACTER ? "c" : undefined);
  if (type !== "b" && type !== "c") throw new SandboxError("refused", `${hostPath} is no device of this host`);
  if (!node.path.startsWith("/dev/") || posix.normalize(node.path) !== node.path)
    throw new SandboxError("refused", `a device belongs into /dev, not at ${node.path}`);
  if (found === undefined && (node.major === undefined || node.minor === undefined))
    throw new SandboxError("refused", `there is no device ${hostPath}; is the driver loaded?`);
  return {
    path: node.path,
    type,
    major: node.major ?? major(found!.rdev),
    minor: node.minor ?? minor(found!.rdev),
    fileMode: node.fileMode ?? (found === undefined ? FOR_ALL : Number(found.mode) & 0o777),
    uid: node.uid ?? 0,
    gid: node.gid ?? 0,
    // Nothing in a box can make a device node, whatever a file of CDI's would let it.
    access: (node.permissions || "rw").replace("m", "") || "rw",
  };
}

/** Where the root has its libraries below /usr, a path through the old name is the same place. */
function merged(path: string): string {
  const top = /^\/(bin|sbin|lib|lib32|lib64|libx32)\//.exec(path)?.[1];
  return top !== undefined && lstatSync(`/${top}`, { throwIfNoEntry: false })?.isSymbolicLink() ? `/usr${path}` : path;
}

/** Throws SandboxError `refused` for what this host does not have, or a box cannot be given. */
export function gpuParts(edits: readonly CdiEdits[]): GpuParts {
  const devices = new Map<string, GpuDevice>();
  const mounts = new Map<string, GpuMount>();
  const env: Record<string, string> = {};
  const hooks = new Set<string>();
  for (const one of edits) {
    for (const node of one.deviceNodes ?? []) devices.set(node.path, deviceOf(node));
    for (const { hostPath, containerPath } of one.mounts ?? []) {
      if (!existsSync(hostPath)) throw new SandboxError("refused", `there is no ${hostPath}, which the driver needs`);
      const target = merged(posix.normalize(containerPath));
      if (/^\/(proc|sys|dev|tmp|agent|packages|guest)(\/|$)/.test(target) || target === "/usr" || target === "/etc")
        throw new SandboxError("refused", `nothing of a driver's can be shown at ${containerPath}`);
      mounts.set(target, { source: hostPath, target });
    }
    for (const entry of one.env ?? []) env[entry.slice(0, entry.indexOf("="))] = entry.slice(entry.indexOf("=") + 1);
    for (const hook of one.hooks ?? []) hooks.add(`${hook.hookName} ${hook.path}`);
  }
  return { devices: [...devices.values()], mounts: [...mounts.values()], env, hooksLeftOut: [...hooks] };
}

/**
 * The mounts that are needed over a root, with places made for them in `own`. Over the host's own /usr a driver's files are there
 * already. Throws SandboxError `refused` where there is no place.
 */
export function placeMounts(mounts: readonly GpuMount[], own: string, image: boolean): readonly GpuMount[] {
  return mounts.filter(({ source, target }) => {
    const inUsr = target.startsWith("/usr/") && !image;
    if (inUsr && merged(source) === target) return false;
    if (inUsr) {
      if (existsSync(target)) return true;
      throw new SandboxError(
        "refused",
        `${target} is not there, and /usr is shown as it is: ${source} cannot be put there`,
      );
    }
    const place = join(own, target);
    if (statSync(source).isDirectory()) mkdirSync(place, { recursive: true });
    else {
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, "", { flag: "a" });
    }
    return true;
  });
}
