/**
 * Theory of operation: the PostgreSQL that comes with the server.
 *
 *   this process ── holds the lock of ──> <dataDir>/lock            (one server a data folder: folder-lock.ts)
 *        └── starts, watches, restarts ──> postgres, as a user of its own (postgres-program.ts)
 *                                            └── <dataDir>/postgres: data, socket (postgres-folder.ts)
 *
 * It listens on a Unix socket and nowhere else. Whoever can enter the socket's folder (its user, root) is let in; nobody
 * else can. It is told to stop by the kernel when this process dies; if one lives on all the same, the next start ends it
 * before it starts its own. If PostgreSQL dies while we live it is started again, and the pool's connections come back.
 * Nothing is lost in any of these: what was committed is in its log, on the disk.
 */
import type { ChildProcess } from "node:child_process";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LanistaError } from "@lanista/api/errors";
import pg from "pg";
import { type FolderLock, lockFile, lockOwner } from "./folder-lock.ts";
import {
  makeCluster,
  makeHome,
  makeSocketFolder,
  postmaster,
  SUPERUSER,
  socketFolder,
  stopLeftover,
} from "./postgres-folder.ts";
import { type DatabaseLog, ended, endText, launch, ready, stopChild } from "./postgres-process.ts";
import { findPrograms, postgresUser } from "./postgres-program.ts";

export interface EmbeddedOptions {
  /** Made where missing. */
  readonly dataDir: string;
  readonly log: DatabaseLog;
  /** PostgreSQL's settings beside ours, for tests: `{ fsync: "off" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Embedded {
  /** For `openDatabase`; good as long as this process lives, also over restarts of PostgreSQL. */
  readonly url: string;
  /** PostgreSQL's main process; another one after a restart, undefined while there is none. */
  pid(): number | undefined;
  /** Ends every connection, PostgreSQL, and the hold on the data folder. */
  stop(): Promise<void>;
}

const SETTINGS = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  max_connections: "100",
  // One process beside a judge's sandboxes: what it caches the kernel caches as well.
  shared_buffers: "64MB",
  max_wal_size: "512MB",
  io_method: "sync",
  max_parallel_workers_per_gather: "0",
  jit: "off",
  // No replicas read from this one.
  wal_level: "minimal",
  max_wal_senders: "0",
  fsync: "on",
  synchronous_commit: "on",
  TimeZone: "UTC",
  // A statement's error is its client's to tell.
  log_min_messages: "log",
  log_line_prefix: "",
  log_checkpoints: "off",
} as const;

const DATABASE = "lanista";
const RESTART_FIRST_MS = 100;
const RESTART_MOST_MS = 5_000;
/** A PostgreSQL that ran this long has started well: its next end is a new matter. */
const STEADY_MS = 30_000;
/** Processes of a killed PostgreSQL need a moment to notice. */
const START_TRIES = 5;
const LOCK_TRIES = 4;
const LOCK_PAUSE_MS = 50;

const lockPath = (dataDir: string) => join(dataDir, "lock");
const homeOf = (dataDir: string) => join(dataDir, "postgres");
const urlOf = (socket: string, database: string) =>
  `postgres:///${database}?host=${encodeURIComponent(socket)}&user=${SUPERUSER}`;

/** The URL of the embedded PostgreSQL of a server that runs on this folder now; undefined if none does. */
export async function runningEmbedded(dataDir: string): Promise<string | undefined> {
  const home = homeOf(resolve(dataDir));
  const socket = socketFolder(home);
  if (socket === undefined || postmaster(home) === undefined) return undefined;
  const lock = await lockFile(lockPath(resolve(dataDir)));
  lock?.release();
  return lock === undefined ? urlOf(socket, DATABASE) : undefined;
}

/**
 * Starts PostgreSQL on `<dataDir>/postgres`, where it makes an empty database at the first time, and keeps it running.
 * Throws LanistaError: `conflict` if another server is on that folder, `unavailable` if it cannot be started.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const dataDir = resolve(options.dataDir);
  const home = homeOf(dataDir);
  const user = postgresUser(home);
  makeHome(dataDir, home, user);
  const lock = await takeLock(dataDir);
  if (lock === undefined)
    throw new LanistaError(
      "conflict",
      `the data folder ${dataDir} is in use by process ${lockOwner(lockPath(dataDir))}`,
      {
        hint: "Stop that server, or give this one a --data-dir of its own.",
      },
    );
  try {
    return await startLocked(home, lock, options);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Who only looks whether a server runs has the lock for a moment. */
async function takeLock(dataDir: string): Promise<FolderLock | undefined> {
  for (let attempt = 1; ; attempt++) {
    const lock = await lockFile(lockPath(dataDir));
    if (lock !== undefined || attempt === LOCK_TRIES) return lock;
    await sleep(LOCK_PAUSE_MS);
  }
}

async function startLocked(home: string, lock: FolderLock, { log, settings }: EmbeddedOptions): Promise<Embedded> {
  const leftover = await stopLeftover(home);
  if (leftover !== undefined) log.warn(`ended the PostgreSQL of an earlier server (process ${leftover})`);
  const programs = await findPrograms(home, postgresUser(home));
  const made = await makeCluster(home, programs);
  const socket = await makeSocketFolder(home, programs);
  const wanted = Object.entries({ ...SETTINGS, unix_socket_directories: socket.server, ...settings });
  const command = programs.command("postgres", [
    `-D${join(programs.home, "data")}`,
    ...wanted.flatMap(([key, value]) => ["-c", `${key}=${value}`]),
  ]);
  let child = await startPatiently(command, home, log);
  let running = true;
  let stopping = false;

  const watch = async (): Promise<void> => {
    let delay = RESTART_FIRST_MS;
    while (!stopping) {
      const since = performance.now();
      await ended(child);
      running = false;
      if (stopping) return;
      if (performance.now() - since > STEADY_MS) delay = RESTART_FIRST_MS;
      log.warn(`PostgreSQL ended by itself (${endText(child)}); it is started again in ${delay} ms`);
      await sleep(delay);
      delay = Math.min(delay * 2, RESTART_MOST_MS);
      if (stopping) return;
      try {
        child = launch(command, log);
        await ready(child, home);
        running = true;
        log.info("PostgreSQL is back");
      } catch (error) {
        log.warn(error instanceof Error ? error.message : String(error));
      }
    }
  };
  const watched = watch();

  const stop = async (): Promise<void> => {
    if (!stopping) {
      stopping = true;
      await stopChild(child);
    }
    await watched;
    lock.release();
  };
  try {
    if (made) await createDatabase(urlOf(socket.client, "postgres"));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: urlOf(socket.client, DATABASE), pid: () => (running ? child.pid : undefined), stop };
}

async function startPatiently(command: readonly string[], home: string, log: DatabaseLog): Promise<ChildProcess> {
  for (let attempt = 1; ; attempt++) {
    const child = launch(command, log);
    try {
      await ready(child, home);
      return child;
    } catch (error) {
      if (attempt === START_TRIES) throw error;
      await sleep(RESTART_FIRST_MS * attempt);
    }
  }
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}
