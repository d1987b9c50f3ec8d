/**
 * The root a box sees: a folder of its own with a few small files, the host's /usr laid in read-only, and nothing else.
 * /usr and every other host folder come through an overlay of the box's own, because two boxes over the very same inodes
 * could signal to each other through file locks and inotify.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { SandboxError } from "./errors.ts";
import type { ReadOnlyMount } from "./types.ts";

const MERGED = ["bin", "sbin", "lib", "lib64", "lib32", "libx32"] as const;

/** Where our own mounts go; nothing of the caller's may cover them. */
const RESERVED = ["/", "/usr", "/proc", "/dev", "/tmp", "/agent", "/etc", "/sys"];

/** Host folders that make up the default root, /usr first. */
export function hostLayers(): ReadOnlyMount[] {
  const all: ReadOnlyMount[] = [{ source: "/usr", target: "/usr" }];
  if (existsSync("/etc/alternatives")) all.push({ source: "/etc/alternatives", target: "/etc/alternatives" });
  // On a host whose /bin and /lib are folders of their own, and not links into /usr, they are laid in too.
  for (const name of MERGED)
    if (existsSync(`/${name}`) && !lstatSync(`/${name}`).isSymbolicLink())
      all.push({ source: `/${name}`, target: `/${name}` });
  return all;
}

/** The caller's own folders, each once, though he may name it twice. Throws SandboxError `refused` on one that makes no sense. */
export function callersMounts(mounts: readonly ReadOnlyMount[]): readonly ReadOnlyMount[] {
  for (const { source, target } of mounts) {
    if (/[:,\\\n]/.test(source))
      throw new SandboxError(
        "refused",
        `a mounted folder's path may not contain ":", ",", "\\" or a line break: ${source}`,
      );
    if (resolve(source) !== source || resolve(target) !== target)
      throw new SandboxError("refused", `mounts need absolute, normalised paths: ${source} at ${target}`);
    if (RESERVED.includes(target) || target.startsWith("/proc/") || target.startsWith("/dev/"))
      throw new SandboxError("refused", `nothing can be mounted at ${target}: the sandbox has its own there`);
    if (source === "/" || !existsSync(source) || !lstatSync(source).isDirectory())
      throw new SandboxError("refused", `${source} is not a folder that can be mounted`);
  }
  const same = (a: ReadOnlyMount, b: ReadOnlyMount): boolean => a.source === b.source && a.target === b.target;
  return mounts.filter((mount, index) => mounts.findIndex((other) => same(mount, other)) === index);
}

type User = { readonly uid: number; readonly gid: number };

/** Writes the default root's own folders, links and files below `root`, which must be empty. */
export function makeRoot(root: string, user: User, targets: readonly string[], hostname: string): void {
  makeOwnPart(root, user, ["/usr", ...targets], hostname);
  for (const name of MERGED)
    if (existsSync(`/${name}`) && lstatSync(`/${name}`).isSymbolicLink())
      symlinkSync(readlinkSync(`/${name}`), join(root, name));
  writeFileSync(join(root, "etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n");
  // A copy, not a link: the loader maps it, and a shared inode could carry a lock.
  if (existsSync("/etc/ld.so.cache")) copyFileSync("/etc/ld.so.cache", join(root, "etc/ld.so.cache"));
}

/**
 * Writes what is the box's own of any root: mount points, and who it is. Over an image it is the upper of two layers, so that a
 * link of the image's in one of these places is hidden, and leads nowhere.
 */
export function makeOwnPart(root: string, user: User, targets: readonly string[], hostname: string): void {
  // gVisor makes the last of them where it is missing, and over an image cannot.
  for (const name of ["proc", "dev", "tmp", "agent", "etc", "dev/shm"]) mkdirSync(join(root, name));
  // runc gives a tmpfs the mode of the folder it covers, whatever its options say.
  chmodSync(join(root, "tmp"), 0o1777);
  for (const target of targets) mkdirSync(join(root, target), { recursive: true });
  writeFileSync(join(root, "etc/passwd"), `root:x:0:0::/:/bin/false\nagent:x:${user.uid}:${user.gid}::/tmp:/bin/sh\n`);
  writeFileSync(join(root, "etc/group"), `root:x:0:\nagent:x:${user.gid}:\n`);
  writeFileSync(join(root, "etc/hosts"), `127.0.0.1 localhost ${hostname}\n`);
}
