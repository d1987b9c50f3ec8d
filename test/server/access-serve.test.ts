/** `lanista serve` as people start it: one command, everything in one folder, nothing left behind however it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type LanistaClient } from "@lanista/api/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";

const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const UP_MS = 60_000;

const document = z.object({
  http: z.string(),
  grpc: z.string(),
  metrics: z.string(),
  initSecret: z.string().nullable(),
});

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lanista-serve-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await expect.poll(mine, { timeout: 20_000 }).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

/** The processes whose command line or open folder names our data: server, worker, PostgreSQL. */
function mine(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return line.includes(folder) ? [line] : [];
      } catch {
        return [];
      }
    });
}

async function serve(): Promise<{ child: ChildProcess; up: z.infer<typeof document>; log: () => string }> {
  const ports = ["--http-port", "0", "--grpc-port", "0", "--metrics-port", "0"];
  const child = spawn(
    process.execPath,
    ["--conditions=lanista-source", MAIN, "serve", "--json", "--data-dir", folder, ...ports, "--shutdown-seconds", "5"],
    { stdio: ["ignore", "pipe", "pipe"], cwd: folder },
  );
  children.push(child);
  let out = "";
  let log = "";
  child.stderr?.on("data", (data) => {
    log += String(data);
  });
  const up = await new Promise<z.infer<typeof document>>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not up: ${log}`)), UP_MS);
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${log}`)));
    child.stdout?.on("data", (data) => {
      out += String(data);
      try {
        resolve(document.parse(JSON.parse(out)));
        clearTimeout(timer);
      } catch {
        // Not all of it yet.
      }
    });
  });
  return { child, up, log: () => log };
}

async function init(up: z.infer<typeof document>): Promise<LanistaClient> {
  const person = { name: "Ada", email: "ada@example.org", password: "correct horse battery" };
  const { token } = await connect({ url: up.http }).tokens.initAdministrator({
    ...person,
    secret: up.initSecret ?? "",
  });
  return connect({ url: up.http, token });
}

const exit = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? String(code))));

test("one command starts it all; SIGTERM ends it all, and what was done is there at the next start", async () => {
  const first = await serve();
  const client = await init(first.up);
  await client.spaces.createSpace({ slug: "kept", title: "Kept" });
  // The embedded worker says hello.
  await expect.poll(async () => (await client.workers.listWorkers({})).workers.length, { timeout: 30_000 }).toBe(1);
  const figures = await (await fetch(`${first.up.metrics}/metrics`)).text();
  expect(figures).toContain('lanista_rpc_seconds_count{method="lanista.v1.SpaceService/CreateSpace",code="ok"} 1');
  const ended = exit(first.child);
  first.child.kill("SIGTERM");
  expect(await ended).toBe("143");
  expect(mine()).toEqual([]);

  const second = await serve();
  expect(second.up.initSecret).toBeNull();
  const { token } = (await (
    await fetch(`${second.up.http}/api/auth/sign-in/email`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email: "ada@example.org", password: "correct horse battery" }),
    })
  ).json()) as { token: string };
  const { spaces } = await connect({ url: second.up.http, token }).spaces.listSpaces({});
  expect(spaces.map((space) => space.slug)).toEqual(["kept"]);
}, 120_000);

test("SIGKILL leaves no process behind, and the next start goes on", async () => {
  const first = await serve();
  const client = await init(first.up);
  await expect.poll(async () => (await client.workers.listWorkers({})).workers.length, { timeout: 30_000 }).toBe(1);
  const { token } = await client.tokens.createToken({ name: "kept", scope: 1 });
  first.child.kill("SIGKILL");
  await expect.poll(mine, { timeout: 20_000 }).toEqual([]);
  const second = await serve();
  expect(second.up.initSecret).toBeNull();
  expect(token?.id).toMatch(/^[0-9a-f-]{36}$/);
}, 120_000);

test("a second server on the same folder is refused with words", async () => {
  await serve();
  await expect(serve()).rejects.toThrow(/in use by process \d+/);
}, 120_000);

test("an embedded worker that is killed is started again", async () => {
  const { up } = await serve();
  const client = await init(up);
  const workers = async () => (await client.workers.listWorkers({})).workers.map((worker) => worker.id);
  await expect.poll(workers, { timeout: 30_000 }).toHaveLength(1);
  const [before] = await workers();
  const pid = readdirSync("/proc").find((name) => {
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, "utf8");
      return line.includes(folder) && line.includes("--with-parent");
    } catch {
      return false;
    }
  });
  process.kill(Number(pid), "SIGKILL");
  await expect.poll(async () => (await workers()).some((id) => id !== before), { timeout: 30_000 }).toBe(true);
}, 120_000);
