/** `lanista serve` as people start it: one command, everything in one folder, nothing left behind however it ends. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ADMINISTRATOR, exit, init, signed, serve as start } from "./support/serve-command.ts";

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lanista-serve-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await expect.poll(mine).toEqual([]);
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

const serve = () => start(folder, children);

test("one command starts it all; SIGTERM ends it all, and what was done is there at the next start", async () => {
  const first = await serve();
  const client = await init(first.up);
  await client.spaces.createSpace({ slug: "kept", title: "Kept" });
  // The embedded worker says hello.
  await expect.poll(async () => (await client.workers.listWorkers({})).workers.length).toBe(1);
  const figures = await (await fetch(`${first.up.metrics}/metrics`)).text();
  expect(figures).toContain('lanista_rpc_seconds_count{method="lanista.v1.SpaceService/CreateSpace",code="ok"} 1');
  const ended = exit(first.child);
  first.child.kill("SIGTERM");
  expect(await ended).toBe("143");
  await expect.poll(mine, { timeout: 5_000 }).toEqual([]);

  const second = await serve();
  expect(second.up.initSecret).toBeNull();
  const { spaces } = await (await signed(second.up, "sign-in", ADMINISTRATOR)).spaces.listSpaces({});
  expect(spaces.map((space) => space.slug)).toEqual(["kept"]);
}, 600_000);

test("SIGKILL leaves no process behind, and the next start goes on", async () => {
  const first = await serve();
  const client = await init(first.up);
  await expect.poll(async () => (await client.workers.listWorkers({})).workers.length).toBe(1);
  const { token } = await client.tokens.createToken({ name: "kept", scope: 1 });
  first.child.kill("SIGKILL");
  await expect.poll(mine).toEqual([]);
  const second = await serve();
  expect(second.up.initSecret).toBeNull();
  expect(token?.id).toMatch(/^[0-9a-f-]{36}$/);
}, 600_000);

test("a second server on the same folder is refused with words", async () => {
  await serve();
  await expect(serve()).rejects.toThrow(/in use by process \d+/);
}, 600_000);

test("an embedded worker that is killed is started again", async () => {
  const { up } = await serve();
  const client = await init(up);
  const workers = async () => (await client.workers.listWorkers({})).workers.map((worker) => worker.id);
  await expect.poll(workers).toHaveLength(1);
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
  await expect.poll(async () => (await workers()).some((id) => id !== before)).toBe(true);
}, 600_000);
