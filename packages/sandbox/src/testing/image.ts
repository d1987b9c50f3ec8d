/**
 * A small image for tests, made by umoci from this host's own files: Python with its standard library, a shell, and the
 * libraries they need. Made once, kept in `folder`.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type Docker from "dockerode";
import { findExecutable } from "../runtimes.ts";

export const canMakeImage = findExecutable("umoci") !== undefined && existsSync("/usr/bin/python3");

const PROGRAMS = [
  "/usr/bin/python3",
  "/usr/bin/dash",
  "/usr/bin/id",
  "/usr/bin/sleep",
  "/usr/bin/cat",
  "/usr/bin/true",
];

/** As a distribution has them, so that there is something to try. */
const FOLDERS = `etc media mnt opt proc root run run/lock srv sys tmp usr/bin usr/include usr/lib
  usr/lib64 usr/local usr/local/bin usr/local/lib usr/sbin usr/share var var/cache var/lib var/log var/tmp`.split(
  /\s+/,
);

/** Paths of the libraries that programs load, links as they are named. */
function librariesOf(files: readonly string[]): string[] {
  const found = new Set<string>();
  for (const file of files)
    for (const [, path] of execFileSync("ldd", [file], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g))
      found.add(path!);
  return [...found];
}

/** Copies the file behind a path to the same path below `root`, by way of /usr where /lib and /bin lead there. */
function put(root: string, path: string): void {
  const target = join(root, /^\/(bin|sbin|lib|lib64)\//.test(path) ? `/usr${path}` : path);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(realpathSync(path), target);
}

/** Returns the layout's folder; its one image has the tag "test". `folder` is made if it is not there. */
export function makeTestImage(folder: string): string {
  const python = realpathSync("/usr/bin/python3");
  const library = join("/usr/lib", python.slice(python.lastIndexOf("/") + 1));
  const key = createHash("sha256")
    .update(`4 ${python} ${execFileSync(python, ["-VV"], { encoding: "utf8" })}`)
    .digest("hex");
  const layout = join(folder, `image-${key.slice(0, 12)}`);
  if (existsSync(layout)) return layout;
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, ".making-"));
  try {
    const root = join(work, "root");
    for (const name of FOLDERS) mkdirSync(join(root, name), { recursive: true });
    for (const name of ["tmp", "var/tmp"]) chmodSync(join(root, name), 0o1777);
    for (const name of ["bin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(root, name));
    const leftOut = /\/(__pycache__|test|dist-packages|idlelib|lib2to3|ensurepip|config-[^/]*)$/;
    cpSync(library, join(root, library), { recursive: true, dereference: true, filter: (path) => !leftOut.test(path) });
    const loaded = readdirSync(join(library, "lib-dynload")).map((name) => join(library, "lib-dynload", name));
    for (const path of [...PROGRAMS, ...librariesOf([...PROGRAMS, ...loaded])]) put(root, path);
    symlinkSync("dash", join(root, "usr/bin/sh"));
    const made = join(work, "layout");
    const umoci = (...args: string[]): void => void execFileSync("umoci", args, { stdio: "pipe" });
    umoci("init", "--layout", made);
    umoci("new", "--image", `${made}:test`);
    umoci("insert", "--rootless", "--image", `${made}:test`, root, "/");
    umoci("gc", "--layout", made);
    renameSync(made, layout);
  } catch (error) {
    // Somebody else may have been faster.
    if (!existsSync(layout)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return layout;
}

/** Brings the test image into an engine, which unlike umoci knows no layouts, as one layer. Returns its name there. */
export async function intoEngine(docker: Docker, layout: string): Promise<string> {
  const work = mkdtempSync(join(dirname(layout), ".loading-"));
  try {
    execFileSync("umoci", ["raw", "unpack", "--rootless", "--image", `${layout}:test`, join(work, "rootfs")]);
    const archive = join(work, "rootfs.tar");
    execFileSync("tar", ["-C", join(work, "rootfs"), "--owner=0", "--group=0", "-cf", archive, "."]);
    const answer = (await docker.importImage(archive, { repo: "lanista-test" })) as NodeJS.ReadableStream;
    await new Promise<void>((resolve, reject) => {
      answer.on("error", reject);
      answer.on("end", resolve);
      answer.resume();
    });
    return "lanista-test";
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
