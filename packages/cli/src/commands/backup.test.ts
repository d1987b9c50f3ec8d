import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "@lanista/server/db/database";
import { startEmbedded } from "@lanista/server/db/embedded";
import { migrate } from "@lanista/server/db/migrate";
import { openFolderStore } from "@lanista/server/store/folder-store";
import { testDatabase } from "@lanista/server/testing/database";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCommand } from "../testing.ts";

const log = { debug: () => {}, info: () => {}, warn: () => {} };
let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "lanista-backup-cli-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** A server's data folder with one blob in it; `work` is done while its database runs. */
async function server(dataDir: string, work: () => Promise<void>): Promise<string> {
  const embedded = await startEmbedded({ dataDir, log });
  const database = openDatabase({ url: embedded.url });
  try {
    await migrate(database.pool);
    const { digest } = await (await openFolderStore(join(dataDir, "store"))).put(Buffer.from("a bundle"));
    await database.pool.query("INSERT INTO bundles (digest, size_bytes) VALUES ($1, 8)", [digest]);
    await work();
    return digest;
  } finally {
    await database.close();
    await embedded.stop();
  }
}

async function bundles(url: string): Promise<string[]> {
  const database = openDatabase({ url });
  try {
    return (await database.db.selectFrom("bundles").select("digest").execute()).map(({ digest }) => digest);
  } finally {
    await database.close();
  }
}

test("a server's state goes into a file while it runs and while it does not, and into a new folder or an outside database", async () => {
  const old = join(base, "old");
  const file = join(base, "one.tar.gz");
  const digest = await server(old, async () => {
    const { code, stdout } = await runCommand("backup", file, "--data-dir", old, "--json");
    expect({ code, done: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      done: { file, blobs: 1, blobBytes: 8, missing: [] },
    });
    // One that runs is not restored into.
    const running = await runCommand("restore", file, "--data-dir", old);
    expect(running.code).toBe(2);
    expect(running.stderr).toMatch(/is in use by process \d+/);
  });
  const again = await runCommand("backup", join(base, "two.tar.gz"), "--data-dir", old);
  expect(again).toMatchObject({ code: 0, stderr: "" });
  expect(again.stdout).toMatch(/two.tar.gz: \d+ rows of \d+ tables, 1 blob /);

  const fresh = join(base, "new");
  expect(await runCommand("restore", file, "--data-dir", fresh)).toMatchObject({ code: 0 });
  const embedded = await startEmbedded({ dataDir: fresh, log });
  try {
    expect(await bundles(embedded.url)).toEqual([digest]);
    expect(statSync(join(fresh, "store", "blobs", digest.slice(0, 2), digest)).size).toBe(8);
  } finally {
    await embedded.stop();
  }
  const twice = await runCommand("restore", file, "--data-dir", fresh);
  expect(twice.code).toBe(2);
  expect(twice.stderr).toMatch(/the database is not empty: .*; nothing was changed/);

  const outside = await testDatabase();
  try {
    await outside.pool.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    const folders = ["--database-url", outside.url, "--store-url", join(base, "store")];
    expect(await runCommand("restore", file, ...folders)).toMatchObject({ code: 0 });
    expect(await bundles(outside.url)).toEqual([digest]);
    expect(await runCommand("backup", join(base, "three.tar.gz"), ...folders)).toMatchObject({ code: 0 });
  } finally {
    await outside.close();
  }
});

test("a folder without a server's database is refused, and nothing is made there", async () => {
  const { code, stderr } = await runCommand("backup", join(base, "one.tar.gz"), "--data-dir", join(base, "none"));
  expect(code).toBe(2);
  expect(stderr).toMatch(/there is no server's database in .*none/);
  expect(() => statSync(join(base, "none"))).toThrow(/ENOENT/);
});
