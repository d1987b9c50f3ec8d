/**
 * PostgreSQL's folder: `data` (the cluster), `socket`, sometimes `programs-VERSION`; all of it its user's alone. A Unix
 * socket's path has 107 bytes at most; where the folder's own path is too long, `socket` is a link to a short one.
 */
import { execFile } from "node:child_process";
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { rename, rm, symlink, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { LanistaError } from "@lanista/api/errors";
import type { Programs, User } from "./postgres-program.ts";

const run = promisify(execFile);

/** The largest socket path, less PostgreSQL's own name for the file in the folder. */
const LONGEST_FOLDER = 107 - "/.s.PGSQL.5432".length;
const STOP_MS = 10_000;
const QUIT_MS = 5_000;

export const SUPERUSER = "lanista";

/** Makes PostgreSQL's folder, and the data folder around it. */
export function makeHome(dataDir: string, home: string, user: User | undefined): void {
  const made = mkdirSync(dataDir, { recursive: true, mode: 0o700 }) !== undefined;
  // PostgreSQL's user goes through the data folder, and sees nothing of it but his own.
  if (made && user !== undefined) {
    chownSync(dataDir, 0, user.gid);
    chmodSync(dataDir, 0o710);
  }
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (user !== undefined) chownSync(home, user.uid, user.gid);
}

/** Makes the cluster where there is none: in a folder that gets its name when it is whole. */
export async function makeCluster(home: string, programs: Programs): Promise<boolean> {
  if (statSync(join(home, "data"), { throwIfNoEntry: false }) !== undefined) return false;
  await rm(join(home, "data.half"), { recursive: true, force: true });
  const [file = "", ...args] = programs.command("initdb", [
    `--pgdata=${join(programs.home, "data.half")}`,
    `--username=${SUPERUSER}`,
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
  ]);
  try {
    await run(file, args, { cwd: "/", env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" } });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new LanistaError("unavailable", `a new database could not be made in ${home}: ${stderr || message}`);
  }
  await rename(join(home, "data.half"), join(home, "data"));
  return true;
}

/** The socket's folder as a client reaches it; undefined if there is none. */
export function socketFolder(home: string): string | undefined {
  const folder = join(home, "socket");
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  return found.isSymbolicLink() ? readlinkSync(folder) : folder;
}

/** Makes the socket's folder; gives it as clients reach it and as PostgreSQL sees it. */
export async function makeSocketFolder(home: string, programs: Programs): Promise<{ client: string; server: string }> {
  const folder = join(home, "socket");
  const { user } = programs;
  const found = socketFolder(home);
  if (found !== undefined && found !== folder) {
    const target = lstatSync(found, { throwIfNoEntry: false });
    const owner = user?.uid ?? process.getuid?.();
    if (target?.isDirectory() && target.uid === owner && (target.mode & 0o777) === 0o700)
      return { client: found, server: found };
    await unlink(folder);
  }
  if (Buffer.byteLength(folder) <= LONGEST_FOLDER) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    return { client: folder, server: join(programs.home, "socket") };
  }
  const runtime = user === undefined ? process.env.XDG_RUNTIME_DIR : undefined;
  const base = [runtime, tmpdir(), "/tmp"].find(
    (one) => one !== undefined && Buffer.byteLength(one) < LONGEST_FOLDER - 20,
  );
  const short = mkdtempSync(join(base ?? "/tmp", "lanista-"));
  if (user !== undefined) chownSync(short, user.uid, user.gid);
  await symlink(short, folder);
  return { client: short, server: short };
}

/** What `postmaster.pid` says: who runs the cluster, and whether connections are taken. */
export function postmaster(home: string): { pid: number; ready: boolean } | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(home, "data", "postmaster.pid"), "utf8").split("\n");
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, ready: lines[7]?.trim() === "ready" } : undefined;
}

/** Whether that process runs on this very folder: a PostgreSQL sits in its data. */
function sitsIn(pid: number, folder: string): boolean {
  try {
    const seat = statSync(`/proc/${pid}/cwd`);
    const data = statSync(folder);
    return seat.dev === data.dev && seat.ino === data.ino;
  } catch {
    return false;
  }
}

/**
 * Ends the PostgreSQL that a killed server left behind, and takes away what says that there is one. To be called by
 * who holds the folder's lock. Gives the process id of the one that ran.
 */
export async function stopLeftover(home: string): Promise<number | undefined> {
  const data = join(home, "data");
  const found = postmaster(home);
  if (found === undefined) return undefined;
  if (!sitsIn(found.pid, data)) {
    await rm(join(data, "postmaster.pid"), { force: true });
    return undefined;
  }
  const steps = [
    ["SIGINT", STOP_MS],
    ["SIGQUIT", QUIT_MS],
    ["SIGKILL", QUIT_MS],
  ] as const;
  for (const [signal, patience] of steps) {
    try {
      process.kill(found.pid, signal);
    } catch {
      return found.pid;
    }
    const until = performance.now() + patience;
    while (performance.now() < until) {
      if (!sitsIn(found.pid, data)) return found.pid;
      await sleep(10);
    }
  }
  throw new LanistaError("unavailable", `the PostgreSQL of an earlier server (process ${found.pid}) does not end`, {
    hint: "End it, then start again.",
  });
}
