import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { LanistaError } from "@lanista/api/errors";
import { openDatabase } from "@lanista/server/db/database";
import { type Embedded, runningEmbedded, startEmbedded } from "@lanista/server/db/embedded";
import { findPrograms, nativeFolder, postgresUser } from "@lanista/server/db/postgres-program";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = process.getuid?.() === 0;
let base: string;
let said: string[];
const log = { debug: () => {}, info: () => {}, warn: (text: string) => void said.push(text) };
const releases: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  said = [];
  base = mkdtempSync(join(tmpdir(), "lanista-embedded-"));
  chmodSync(base, 0o711);
});
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
  rmSync(base, { recursive: true, force: true });
});

async function start(dataDir = join(base, "data")): Promise<Embedded> {
  const embedded = await startEmbedded({ dataDir, log });
  releases.push(() => embedded.stop());
  return embedded;
}

async function query<T extends object>(url: string, sql: string): Promise<T[]> {
  const database = openDatabase({ url, size: 1 });
  try {
    return (await database.pool.query<T>(sql)).rows;
  } finally {
    await database.close();
  }
}

const alive = (pid: number): boolean => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(statusOf(pid));

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "State:\tZ";
  }
}

async function until(what: string, check: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(20);
  }
}

/** The same in a process of its own, which may be run as somebody else. */
async function startProcess(dataDir: string, as: readonly string[] = []) {
  const script = join(import.meta.dirname, "support", "embedded-host.ts");
  const [file = "", ...args] = [...as, process.execPath, "--conditions=lanista-source", script, dataDir];
  const child: ChildProcess = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  releases.push(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
  });
  if (child.stdout === null) throw new Error("no pipe");
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    once(child, "exit").then(() => [""]),
  ])) as [string];
  return { child, ...(JSON.parse(line) as { url: string; pid: number }) };
}

test("it listens on a socket that only its user reaches, and on no port", async () => {
  const embedded = await start();
  const [row] = await query(
    embedded.url,
    "SELECT current_setting('listen_addresses') AS ports, current_setting('fsync') AS fsync",
  );
  expect(row).toEqual({ ports: "", fsync: "on" });
  const home = join(base, "data", "postgres");
  for (const folder of [home, join(home, "data"), join(home, "socket")])
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(home, "socket", ".s.PGSQL.5432")).mode & 0o777).toBe(0o700);
  const pid = embedded.pid() ?? 0;
  expect(statusOf(pid)).not.toMatch(/^Uid:\s+0\s/m);
  expect(
    readFileSync(`/proc/${pid}/environ`, "utf8")
      .split("\0")
      .map((each) => each.split("=")[0]),
  ).not.toContain("HOME");
  await embedded.stop();
  expect(alive(pid)).toBe(false);
});

test("a second server on the same folder is refused, and told who has it", async () => {
  const first = await start();
  const refused = await startEmbedded({ dataDir: join(base, "data"), log }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(LanistaError);
  expect(refused).toMatchObject({ code: "conflict", message: expect.stringContaining(`by process ${process.pid}`) });
  expect(await runningEmbedded(join(base, "data"))).toBe(first.url);
  await first.stop();
  expect(await runningEmbedded(join(base, "data"))).toBeUndefined();
  await start();
});

test("what was committed is there after SIGKILL of the server, and PostgreSQL did not outlive it", async () => {
  const victim = await startProcess(join(base, "data"));
  await query(victim.url, "CREATE TABLE t AS SELECT 7 AS n");
  victim.child.kill("SIGKILL");
  await until("PostgreSQL ends with its server", () => !alive(victim.pid));
  const embedded = await start();
  expect(await query(embedded.url, "SELECT n FROM t")).toEqual([{ n: 7 }]);
});

test("a PostgreSQL that was left behind is ended, whoever holds its connections", async () => {
  const first = await start();
  await first.stop();
  const home = join(base, "data", "postgres");
  const user = postgresUser(home);
  const programs = await findPrograms(home, user);
  const [file = "", ...args] = programs
    .command("postgres", [
      `-D${join(home, "data")}`,
      "-clisten_addresses=",
      `-cunix_socket_directories=${join(home, "socket")}`,
    ])
    .filter((word) => !word.startsWith("--pdeathsig"));
  const left = spawn(file, args, { stdio: "ignore" });
  await until("it runs", () =>
    query(first.url, "SELECT 1").then(
      () => true,
      () => false,
    ),
  );
  await start();
  expect(said).toEqual([`ended the PostgreSQL of an earlier server (process ${left.pid})`]);
});

test("it is started again when it is killed, and the pool's connections come back", async () => {
  const embedded = await start();
  const database = openDatabase({ url: embedded.url, size: 2 });
  releases.push(() => database.close());
  await database.pool.query("CREATE TABLE t AS SELECT 7 AS n");
  const pid = embedded.pid() ?? 0;
  process.kill(pid, "SIGKILL");
  await until("queries work again", () =>
    database.pool.query("SELECT n FROM t").then(
      ({ rows }) => rows[0]?.n === 7 && embedded.pid() !== undefined && embedded.pid() !== pid,
      () => false,
    ),
  );
  expect(said.some((text) => text.includes("ended by itself (SIGKILL)"))).toBe(true);
});

test("a stale postmaster.pid that names somebody else's process does not stop it, nor that process", async () => {
  const first = await start();
  await first.stop();
  const bystander = spawn("sleep", ["60"], { stdio: "ignore" });
  try {
    const file = join(base, "data", "postgres", "data", "postmaster.pid");
    writeFileSync(file, `${bystander.pid}\n/elsewhere\n0\n5432\n/tmp\n\n1\nready   \n`);
    const again = await start();
    expect(await query(again.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(alive(bystander.pid ?? 0)).toBe(true);
  } finally {
    bystander.kill();
  }
});

test("where the folder's path is too long for a socket, a short one is linked to", async () => {
  const dataDir = join(base, "long-".repeat(30));
  const first = await start(dataDir);
  const [row] = await query<{ one: number }>(first.url, "SELECT 1 AS one");
  expect(row).toEqual({ one: 1 });
  const socket = new URL(first.url).searchParams.get("host") ?? "";
  releases.unshift(async () => rmSync(socket, { recursive: true }));
  expect(dirname(socket)).toBe(tmpdir());
  expect(statSync(socket).mode & 0o777).toBe(0o700);
  await first.stop();
  expect((await start(dataDir)).url).toBe(first.url);
});

test("a cluster that was half made by a killed start is made anew", async () => {
  const home = join(base, "data", "postgres");
  mkdirSync(join(home, "data.half", "base"), { recursive: true });
  const user = postgresUser(home);
  if (user !== undefined) chownSync(home, user.uid, user.gid);
  expect(await query((await start()).url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test.runIf(root)("root's own folder will do, though PostgreSQL's user cannot enter it", async () => {
  chmodSync(base, 0o700);
  const embedded = await start();
  expect(await query(embedded.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  expect(statusOf(embedded.pid() ?? 0)).not.toMatch(/^Uid:\s+0\s/m);
  await embedded.stop();
  expect(await query((await start()).url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test.runIf(root)("programs that PostgreSQL's user cannot read are copied beside the data", async () => {
  const hidden = join(base, "hidden");
  cpSync(join(nativeFolder(), ".."), hidden, { recursive: true, verbatimSymlinks: true });
  chmodSync(hidden, 0o700);
  const home = join(base, "home");
  mkdirSync(home, { mode: 0o700 });
  const user = postgresUser(home);
  if (user === undefined) throw new Error("root needs a user");
  chownSync(home, user.uid, user.gid);
  const programs = await findPrograms(home, user, join(hidden, "native"));
  const [file = "", ...args] = programs.command("postgres", ["--version"]);
  expect(file === "" ? "" : programs.native).toMatch(new RegExp(`^${home}/programs-`));
  expect(execFileSync(file, args, { encoding: "utf8" })).toMatch(/^postgres \(PostgreSQL\)/);
});

test.runIf(root)("somebody who is not root runs it himself", async () => {
  const folder = join(base, "own");
  mkdirSync(folder);
  chownSync(folder, 65_534, 65_534);
  const as = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const { pid, child } = await startProcess(join(folder, "data"), as);
  expect(statusOf(pid)).toMatch(/^Uid:\s+65534\s/m);
  child.kill("SIGTERM");
  await once(child, "exit");
  await until("PostgreSQL ends", () => !alive(pid));
});
