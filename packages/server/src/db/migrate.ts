/**
 * Brings a database to this version's tables: the files of migrations/, in order, each in a transaction of its own,
 * each once. Forward only. A database that a newer version has used is refused, as is one whose past differs from ours.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { LanistaError } from "@lanista/api/errors";
import type pg from "pg";

/** Any number that nobody else locks with: whoever changes the schema holds it, servers that start and restores. */
export const SCHEMA_LOCK = 7_281_946_305;

/** What was applied. */
export const MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS migrations (
  name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;

export interface Migration {
  /** The file's name without its ending: `0001_initial`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly checksum: string;
}

/** This version's migrations, in order: beside the source, the bundle, or (built, not bundled) beside the source again. */
export function ownMigrations(): readonly Migration[] {
  const folder = ["./migrations/", "../../src/db/migrations/"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (folder === undefined) throw new Error(`the migrations are missing beside ${import.meta.url}`);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => {
      const sql = readFileSync(`${folder}/${file}`, "utf8");
      return { name: file.slice(0, -".sql".length), sql, checksum: createHash("sha256").update(sql).digest("hex") };
    });
}

/** The newest migration's name: the schema's version. */
export function schemaVersion(migrations: readonly Migration[] = ownMigrations()): string {
  return migrations.at(-1)?.name ?? "";
}

/**
 * Gives the names of the migrations that were applied now. Throws LanistaError `conflict` for a database of a newer
 * version or of another past; then nothing was changed.
 */
export async function migrate(
  pool: pg.Pool,
  migrations: readonly Migration[] = ownMigrations(),
): Promise<readonly string[]> {
  const client = await pool.connect();
  let failed = true;
  try {
    await client.query("SELECT pg_advisory_lock($1)", [SCHEMA_LOCK]);
    const applied = await bring(client, migrations);
    await client.query("SELECT pg_advisory_unlock($1)", [SCHEMA_LOCK]);
    failed = false;
    return applied;
  } finally {
    // A connection that may still hold the lock, or be inside a transaction, is closed.
    client.release(failed);
  }
}

async function bring(client: pg.PoolClient, migrations: readonly Migration[]): Promise<readonly string[]> {
  await client.query(MIGRATIONS_TABLE);
  const { rows } = await client.query<{ name: string; checksum: string }>(
    "SELECT name, checksum FROM migrations ORDER BY name",
  );
  checkPast(rows, migrations);
  const missing = migrations.slice(rows.length);
  for (const { name, sql, checksum } of missing) {
    await client.query("BEGIN");
    await client.query(sql);
    await client.query("INSERT INTO migrations (name, checksum) VALUES ($1, $2)", [name, checksum]);
    await client.query("COMMIT");
  }
  return missing.map((migration) => migration.name);
}

function checkPast(recorded: readonly { name: string; checksum: string }[], own: readonly Migration[]): void {
  recorded.forEach(({ name, checksum }, at) => {
    const expected = own[at];
    if (expected === undefined || !own.some((one) => one.name === name))
      throw new LanistaError(
        "conflict",
        `the database has the migration ${name}, which this version (up to ${schemaVersion(own)}) does not know: a newer one has used it`,
        { hint: "Start that newer version, or restore a backup made by this one into an empty database." },
      );
    if (expected.name !== name)
      throw new LanistaError(
        "conflict",
        `the database has the migration ${name} where this version has ${expected.name}`,
        {
          hint: "Start the version that made this database.",
        },
      );
    if (expected.checksum !== checksum)
      throw new LanistaError("conflict", `the migration ${name} was applied to this database in another wording`, {
        hint: "A migration is never edited once released: start the version that made this database.",
      });
  });
}
