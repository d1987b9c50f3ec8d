import { execFileSync } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase } from "@lanista/server/db/database";
import { startEmbedded } from "@lanista/server/db/embedded";
import { afterEach, expect, test } from "vitest";

const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

/** A small disk of its own; undefined where none can be mounted. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "lanista-disk-"));
  releases.push(() => rmSync(folder, { recursive: true, force: true }));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=160m,mode=711", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  releases.push(() => execFileSync("umount", ["--lazy", folder]));
  return folder;
}

/** Room for some work, so that it ends in the middle of it. */
const LEFT_BYTES = 6 << 20;

function fill(file: string): void {
  const fd = openSync(file, "w");
  try {
    for (const size of [1 << 20, 4096]) {
      try {
        for (;;) writeSync(fd, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
    ftruncateSync(fd, fstatSync(fd).size - LEFT_BYTES);
  } finally {
    closeSync(fd);
  }
}

test("a full disk loses nothing that was acknowledged, and work goes on when there is room again", async (context) => {
  const disk = smallDisk();
  if (disk === undefined) return context.skip("no disk can be mounted here");
  const warnings: string[] = [];
  const log = { debug: () => {}, info: () => {}, warn: (text: string) => void warnings.push(text) };
  const embedded = await startEmbedded({ dataDir: join(disk, "data"), log });
  releases.push(() => embedded.stop());
  const database = openDatabase({ url: embedded.url, size: 2 });
  releases.push(() => database.close());
  await database.pool.query("CREATE TABLE t (n int PRIMARY KEY, filler text)");
  const filler = "x"
    .repeat(1000)
    .split("")
    .map(() => Math.random().toString(36))
    .join("")
    .repeat(20);
  const insert = (n: number) => database.pool.query("INSERT INTO t VALUES ($1, $2)", [n, filler]);

  fill(join(disk, "filler"));
  let acknowledged = 0;
  const refused = await (async () => {
    for (;;) {
      try {
        await insert(acknowledged + 1);
        acknowledged++;
      } catch (error) {
        return String(error);
      }
    }
  })();
  expect(acknowledged).toBeGreaterThan(0);
  expect(refused).not.toBe("");
  rmSync(join(disk, "filler"));

  const until = performance.now() + 20_000;
  while (
    !(await insert(1_000_000).then(
      () => true,
      (error: { code?: string }) => error.code === "23505",
    ))
  ) {
    if (performance.now() > until) throw new Error(`it does not come back: ${warnings.join("\n")}`);
    await sleep(100);
  }
  const { rows } = await database.pool.query("SELECT count(*) AS count FROM t WHERE n <= $1 AND length(filler) = $2", [
    acknowledged,
    filler.length,
  ]);
  expect(rows[0]).toEqual({ count: acknowledged });
});
