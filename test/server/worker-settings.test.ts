/** `lanista worker` takes its settings where a server does. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { killed, WorkerWorld } from "./support/worker-world.ts";

const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");

let world: WorkerWorld;
beforeAll(async () => {
  world = await WorkerWorld.open();
}, 60_000);
afterAll(() => world.close());

/** In a folder with these files. */
function worker(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>>, ...words: string[]) {
  const cwd = mkdtempSync(join(world.dir, "cwd-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const child = spawn(process.execPath, ["--conditions=lanista-source", MAIN, "worker", ...words], {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH, HOME: cwd, ...env },
  });
  world.release(() => killed(child));
  let said = "";
  child.stderr.on("data", (chunk) => (said += String(chunk)));
  return { child, said: () => said };
}

const named = (name: string) =>
  world.database.db.selectFrom("workers").select(["queues", "concurrency"]).where("name", "=", name).executeTakeFirst();

test("from the file, from .env, from the environment and from options, the last of these first", async () => {
  const files = {
    "lanista.yaml": "worker: {queues: [gpu], concurrency: 3, cacheBytes: 64MiB}",
    ".env": `LANISTA_SERVER=${world.url}\nLANISTA_WORKER_CONCURRENCY=5\nLANISTA_TOKEN_FILE=token`,
    token: `${world.token}\n`,
  };
  const { said } = worker(files, { LANISTA_WORKER_CONCURRENCY: "7" }, "--name", "first");
  worker(files, { LANISTA_WORKER_CONCURRENCY: "7" }, "--name", "second", "--concurrency", "9", "--queue", "default");
  await expect
    .poll(() => named("first"), { timeout: 60_000, message: said() })
    .toEqual({ queues: ["gpu"], concurrency: 7 });
  await expect.poll(() => named("second"), { timeout: 60_000 }).toEqual({ queues: ["default"], concurrency: 9 });
}, 90_000);

test("a name that is no setting is refused, and so is one that nobody reads", async () => {
  const env = { LANISTA_SERVER: world.url, LANISTA_TOKEN: world.token };
  const { child, said } = worker({}, { ...env, LANISTA_WORKER_CONCURENCY: "3", LANISTA_SPACE: "course" });
  const [code] = await once(child, "exit");
  expect(code).not.toBe(0);
  expect(said()).toContain("LANISTA_WORKER_CONCURENCY is no setting");
  expect(said()).toContain("LANISTA_SPACE is no setting");
}, 60_000);
