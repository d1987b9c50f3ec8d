/**
 * For tests: a fresh, migrated database for each call, in a real PostgreSQL that this process starts at the first one
 * and that ends soon after the last is closed. Copies of what takes long are kept in .cache/test/postgres: the cluster
 * with a migrated database in it. What killed runs left there goes at the next.
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { type Database, openDatabase } from "../db/database.ts";
import { type Embedded, startEmbedded } from "../db/embedded.ts";
import { type FolderLock, lockFile } from "../db/folder-lock.ts";
import { migrate, ownMigrations } from "../db/migrate.ts";

const run = promisify(execFile);
const CACHE = join(import.meta.dirname, "../../../../.cache/test/postgres");
/** Bump when the cluster is to be made anew for another reason than new migrations. */
const CLUSTER = "1";
const LINGER_MS = 500;
const GONE_MS = 500;
const silent = { debug: () => {}, info: () => {}, warn: () => {} };
/** What is lost when the power goes is a test's. */
const settings = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  max_connections: "300",
  shared_buffers: "32MB",
};

export interface TestDatabase extends Database {
  readonly url: string;
}

interface Server {
  readonly embedded: Embedded;
  readonly folder: string;
  readonly admin: pg.Pool;
}

let server: Promise<Server> | undefined;
let open = 0;
let made = 0;
let linger: NodeJS.Timeout | undefined;

/** Its `close` drops the database, whoever is still connected. */
export async function testDatabase(): Promise<TestDatabase> {
  open++;
  clearTimeout(linger);
  try {
    server ??= startServer();
    const { embedded, admin } = await server;
    const name = `test_${process.pid}_${++made}`;
    await admin.query(`CREATE DATABASE ${name} TEMPLATE lanista STRATEGY FILE_COPY`);
    const url = embedded.url.replace("/lanista?", `/${name}?`);
    const database = openDatabase({ url });
    let closed: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      await database.close();
      await allGone(admin, name);
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      leave();
    };
    return { ...database, url, close: () => (closed ??= close()) };
  } catch (error) {
    leave();
    throw error;
  }
}

/** A pool is closed before its connections are: to cut these off would be an error that nobody waits for. */
async function allGone(admin: pg.Pool, name: string): Promise<void> {
  const until = performance.now() + GONE_MS;
  while (performance.now() < until) {
    const { rowCount } = await admin.query("SELECT 1 FROM pg_stat_activity WHERE datname = $1 LIMIT 1", [name]);
    if (rowCount === 0) return;
    await sleep(5);
  }
}

function leave(): void {
  if (--open === 0) linger = setTimeout(() => void stopServer(), LINGER_MS);
}

async function startServer(): Promise<Server> {
  mkdirSync(CACHE, { recursive: true });
  const lock = await waitForLock(join(CACHE, "lock"));
  try {
    await sweep();
    const template = await clusterTemplate();
    const folder = join(CACHE, `run-${process.pid}-${Date.now()}`);
    await run("cp", ["-a", "--reflink=auto", template, folder]);
    const embedded = await startEmbedded({ dataDir: folder, log: silent, settings });
    const admin = new pg.Pool({ connectionString: embedded.url.replace("/lanista?", "/postgres?"), max: 1 });
    admin.on("error", () => {});
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    return { embedded, folder, admin };
  } finally {
    lock.release();
  }
}

async function stopServer(): Promise<void> {
  const running = server;
  server = undefined;
  if (running === undefined) return;
  const { embedded, folder, admin } = await running;
  await admin.end();
  await embedded.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function waitForLock(path: string): Promise<FolderLock> {
  for (;;) {
    const lock = await lockFile(path);
    if (lock !== undefined) return lock;
    await sleep(50);
  }
}

/** Removes the folders whose server is gone. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(CACHE).filter((one) => /^(run|half)-/.test(one))) {
    const folder = join(CACHE, name);
    const lock = existsSync(join(folder, "lock")) ? await lockFile(join(folder, "lock")) : { release: () => {} };
    if (lock === undefined) continue;
    lock.release();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A data folder whose database `lanista` is migrated; made once for these migrations. */
async function clusterTemplate(): Promise<string> {
  const what = JSON.stringify([CLUSTER, ownMigrations().map((migration) => migration.checksum)]);
  const name = `cluster-${createHash("sha256").update(what).digest("hex").slice(0, 16)}`;
  const template = join(CACHE, name);
  if (existsSync(template)) return template;
  for (const old of readdirSync(CACHE).filter((one) => one.startsWith("cluster-")))
    rmSync(join(CACHE, old), { recursive: true, force: true });
  const half = join(CACHE, `half-${process.pid}`);
  const embedded = await startEmbedded({ dataDir: half, log: silent, settings });
  try {
    const database = openDatabase({ url: embedded.url });
    await migrate(database.pool).finally(() => database.close());
  } finally {
    await embedded.stop();
  }
  renameSync(half, template);
  return template;
}
