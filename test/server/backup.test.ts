import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { LanistaError } from "@lanista/api/errors";
import { writeBackup } from "@lanista/server/backup/backup";
import { restoreBackup } from "@lanista/server/backup/restore";
import { type ArchiveEntry as Entry, forged } from "@lanista/server/testing/forged-backup";
import { afterEach, expect, test } from "vitest";
import { addMatch, blobs, contents, emptyState, fullState, type State } from "./support/backup-state.ts";

const states: State[] = [];
afterEach(async () => {
  for (const state of states.splice(0)) await state.close();
});

const kept = (state: State): State => {
  states.push(state);
  return state;
};
const full = async (): Promise<State> => kept(await fullState());
const empty = async (): Promise<State> => kept(await emptyState());

const save = (state: State, name = "one.tar.gz") =>
  writeBackup({ url: state.database.url, store: state.store, file: join(state.folder, name) }).then((summary) => ({
    summary,
    file: join(state.folder, name),
  }));

const load = (state: State, file: string) => restoreBackup({ url: state.database.url, store: state.store, file });

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LanistaError);
  const { code, message } = error as LanistaError;
  return `${code}: ${message}`;
}

async function isEmpty({ database }: State): Promise<boolean> {
  const { rows } = await database.pool.query("SELECT 1 FROM pg_tables WHERE schemaname IN ('public', 'pgboss')");
  return rows.length === 0;
}

test("a restored state is the one that was backed up", async () => {
  const before = await full();
  const { summary, file } = await save(before);
  expect(summary).toMatchObject({ blobs: 60, missing: [] });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const after = await empty();
  expect(await load(after, file)).toEqual(summary);
  expect(await contents(after)).toEqual(await contents(before));
  expect(await blobs(after)).toEqual(await blobs(before));
  expect((await contents(before)).jobs?.length).toBe(21);
});

test("what ran is taken back at once, under fences that the old server cannot have given out", async () => {
  const before = await full();
  await before.database.pool.query("UPDATE jobs SET wait_until = '2020-02-02'");
  const { file } = await save(before);
  const after = await empty();
  await load(after, file);
  const { rows } = await after.database.pool.query(
    `SELECT DISTINCT state, fence, max_attempts, lease_until <= now() AS over,
       wait_until - '2020-02-02' BETWEEN '10 ms' AND '10 min' AS prolonged
     FROM jobs ORDER BY fence`,
  );
  expect(rows).toEqual([
    { state: "waiting", fence: 1_000_000, max_attempts: 3, over: null, prolonged: true },
    { state: "running", fence: 1_000_007, max_attempts: 4, over: true, prolonged: true },
  ]);
  const uploads = await after.database.pool.query("SELECT 1 FROM uploads");
  expect(uploads.rowCount).toBe(0);
});

test("a backup of a busy server is of one moment, and has every blob its rows speak of", async () => {
  const before = await full();
  let busy = true;
  let written = 0;
  const writers = Array.from({ length: 3 }, async () => {
    while (busy) {
      await addMatch(before);
      written++;
    }
  });
  while (written < 20) await new Promise((resolve) => setTimeout(resolve, 10));
  // The disk may keep the writers waiting for as long as a save takes.
  const saveBusy = async () => {
    const at = written;
    return { ...(await save(before)), during: written - at };
  };
  let saved = await saveBusy();
  for (let again = 1; again < 5 && saved.during <= 3; again++) saved = await saveBusy();
  const { summary, file, during } = saved;
  busy = false;
  await Promise.all(writers);
  expect(during).toBeGreaterThan(3);
  expect(summary.missing).toEqual([]);

  const after = await empty();
  await load(after, file);
  const { rows } = await after.database.pool.query<Record<string, number>>(
    `SELECT log_length AS length, (SELECT count(*) FROM match_log) AS logged, (SELECT count(*) FROM matches) AS matches,
       (SELECT count(*) FROM bundles) AS bundles, (SELECT count(*) - 1 FROM jobs) AS jobs FROM ladders`,
  );
  const length = rows[0]?.length ?? 0;
  expect(rows[0]).toEqual({ length, logged: length, matches: length, bundles: length, jobs: length });
  expect(length).toBeGreaterThan(20);
  const stored = new Set(await blobs(after));
  const { rows: spoken } = await after.database.pool.query<{ digest: string }>(
    "SELECT digest FROM bundles UNION SELECT replay_blob FROM matches UNION SELECT payload #>> '{seats,0,bundle}' FROM jobs WHERE kind = 'match'",
  );
  expect(spoken.filter(({ digest }) => !stored.has(digest))).toEqual([]);
});

test("what the store lacks or has in another wording is named, and the rest is backed up", async () => {
  const before = await full();
  const { rows } = await before.database.pool.query<{ digest: string }>(
    "SELECT digest FROM bundles ORDER BY 1 LIMIT 2",
  );
  const [gone = "", broken = ""] = rows.map(({ digest }) => digest);
  await before.store.delete(gone);
  writeFileSync(join(before.folder, "store", "blobs", broken.slice(0, 2), broken), "other bytes");
  const { summary, file } = await save(before);
  expect(summary).toMatchObject({ blobs: 58, missing: [gone, broken] });
  const after = await empty();
  expect(await load(after, file)).toMatchObject({ missing: [gone, broken] });
});

test("a backup does not replace a file, and one that fails leaves none", async () => {
  const before = await full();
  const { file } = await save(before);
  expect(await refusal(save(before))).toMatch(/^exists: .*one.tar.gz is there already/);
  const nothing = await empty();
  expect(await refusal(save(nothing))).toMatch(/^conflict: this database holds nothing of a server's/);
  const stop = new AbortController();
  const { url } = before.database;
  const stopped = writeBackup({
    url,
    store: before.store,
    file: `${file}.2`,
    signal: stop.signal,
    onProgress: (text) => text.startsWith("Blob 5") && stop.abort(),
  });
  await expect(stopped).rejects.toThrow();
  expect(readdirSync(before.folder).sort()).toEqual(["one.tar.gz", "store"]);
  expect(readdirSync(nothing.folder)).toEqual(["store"]);
});

test("a database that is not empty is refused, and left as it is", async () => {
  const before = await full();
  const { file } = await save(before);
  const content = await contents(before);
  expect(await refusal(load(before, file))).toMatch(/^conflict: the database is not empty/);
  expect(await contents(before)).toEqual(content);
});

test("a backup of a newer version is refused", async () => {
  const { file } = await save(await full());
  const newer = await forged(file, ({ name, bytes }) => {
    if (name !== "header.json") return { name, bytes };
    const header = JSON.parse(bytes.toString()) as { migrations: object[] };
    header.migrations.push({ name: "9999_future", checksum: "0".repeat(64) });
    return { name, bytes: Buffer.from(JSON.stringify(header)) };
  });
  const after = await empty();
  expect(await refusal(load(after, newer))).toMatch(/^conflict: the backup is of the schema 9999_future/);
  expect(await isEmpty(after)).toBe(true);
});

/** Each does one thing to the file; what is said of it. */
const damages: Record<string, [(entry: Entry) => Entry | undefined, RegExp]> = {
  "a blob that was changed": [
    (entry) => (entry.name.startsWith("blobs/") ? { ...entry, bytes: Buffer.from("other") } : entry),
    /the blob [0-9a-f]{64} is another/,
  ],
  "blobs that were left out": [(entry) => (entry.name.startsWith("blobs/") ? undefined : entry), /blobs are missing/],
  "a row that was changed": [
    (entry) =>
      entry.name.startsWith("tables/user/")
        ? { ...entry, bytes: Buffer.from(entry.bytes.toString().replace("example.org", "example.com")) }
        : entry,
    /the table user is another/,
  ],
  "a table that was left out": [
    (entry) => (entry.name.startsWith("tables/tokens/") ? undefined : entry),
    /the table tokens is another/,
  ],
  "an end that is missing": [(entry) => (entry.name === "manifest.json" ? undefined : entry), /its end is missing/],
  "a name that is no digest": [
    (entry) => (entry.name.startsWith("blobs/") ? { ...entry, name: "blobs/../../x" } : entry),
    /is another/,
  ],
  "an entry of another kind": [
    (entry) => (entry.name === "manifest.json" ? { ...entry, name: "manifest.yaml" } : entry),
    /there is no place for manifest.yaml/,
  ],
};

test("a damaged backup is refused, and the database stays empty", async () => {
  const { file } = await save(await full());
  const after = await empty();
  for (const [what, [change, words]] of Object.entries(damages)) {
    const said = await refusal(load(after, await forged(file, change)));
    expect(said, what).toMatch(/^invalid: the backup cannot be restored/);
    expect(said, what).toMatch(words);
    expect(await isEmpty(after), what).toBe(true);
  }
  const whole = readFileSync(file);
  for (const bytes of [
    whole.subarray(0, whole.length / 2),
    Buffer.from("no archive"),
    Buffer.alloc(0),
    gzipSync("no tar"),
  ]) {
    writeFileSync(`${file}.broken`, bytes);
    expect(await refusal(load(after, `${file}.broken`))).toMatch(/^invalid: the backup cannot be restored/);
    expect(await isEmpty(after)).toBe(true);
  }
  await load(after, file);
  expect(await isEmpty(after)).toBe(false);
});

test("SIGKILL in the middle of a restore leaves an empty database, and the next restore is whole", async () => {
  const before = await full();
  const { file } = await save(before);
  const after = await empty();
  for (const word of ["Table 10", "Blob"]) {
    const script = join(import.meta.dirname, "support", "restore-host.ts");
    const args = ["--conditions=lanista-source", script, file, after.database.url, join(after.folder, "store"), word];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    expect(said.toString()).toContain(word);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await isEmpty(after)).toBe(true);
  }
  await load(after, file);
  expect(await contents(after)).toEqual(await contents(before));
});
