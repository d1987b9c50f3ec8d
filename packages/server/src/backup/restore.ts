/**
 * Puts a backup into an empty database and a store. One transaction makes the tables, fills them, and is committed when
 * the last digest has been checked: until then, whatever happens, the database stays empty. Blobs may be left in the
 * store by a restore that failed; they do no harm, and the next one uses them.
 *
 * Between the backup and now the old server may have gone on, and its workers may come to this one: the fences of all jobs
 * that have not ended are raised far beyond what it can have given out, so words about its attempts are refused. What was
 * running stays so with a lease that is over, and the sweep tries it again, as after any fault of ours, with one attempt
 * more. The time since the backup does not count as waiting. Uploads that were not complete begin anew.
 */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { LanistaError } from "@lanista/api/errors";
import pg from "pg";
import { extract } from "tar-stream";
import type { z } from "zod";
import { MIGRATIONS_TABLE, type Migration, ownMigrations, SCHEMA_LOCK, schemaVersion } from "../db/migrate.ts";
import type { BlobStore } from "../store/store.ts";
import {
  type BackupSummary,
  BlobTally,
  damaged,
  FORMAT,
  HEADER,
  type Header,
  headerSchema,
  MANIFEST,
  type Manifest,
  MOST_JSON_BYTES,
  manifestSchema,
  type Progress,
  sha256,
  summary,
  type TableDigest,
} from "./format.ts";
import { TableReader } from "./table-reader.ts";
import { COPY_SETTINGS, tablesOf } from "./tables.ts";

export interface RestoreRequest {
  readonly file: string;
  readonly url: string;
  readonly store: BlobStore;
  readonly signal?: AbortSignal;
  readonly onProgress?: Progress;
}

const MOST_BLOB_BYTES = 2 ** 31 - 1;
/** More than any server gives out between a backup and the last word of its workers. */
const FENCE_STEP = 1_000_000;

/** Throws LanistaError: `conflict` for a database that is not empty or a backup of a newer version, `invalid` for a file that is none or is damaged. */
export async function restoreBackup(request: RestoreRequest): Promise<BackupSummary> {
  const client = new pg.Client({ connectionString: request.url, application_name: "lanista restore" });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query(COPY_SETTINGS);
    await client.query("SELECT pg_advisory_xact_lock($1)", [SCHEMA_LOCK]);
    await checkEmpty(client);
    const restored = await readArchive(client, request);
    request.signal?.throwIfAborted();
    await client.query("COMMIT");
    return restored;
  } finally {
    // Whatever was not committed goes with the connection.
    await client.end().catch(() => {});
  }
}

async function checkEmpty(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('public', 'pgboss') AND c.relkind IN ('r', 'p') LIMIT 1`,
  );
  if (rows[0] !== undefined)
    throw new LanistaError("conflict", `the database is not empty: it has the table ${rows[0].name}`, {
      hint: "Restore into a new data folder or a new database; nothing was changed.",
    });
}

async function readArchive(client: pg.Client, request: RestoreRequest): Promise<BackupSummary> {
  const { onProgress = () => {}, signal } = request;
  const archive = extract();
  const read = pipeline(createReadStream(request.file), createGunzip(), archive, {
    ...(signal === undefined ? {} : { signal }),
  });
  // Told by the loop below, whose reading fails with it.
  read.catch(() => {});
  let header: Header | undefined;
  let manifest: Manifest | undefined;
  let tables: TableReader | undefined;
  const tally = new BlobTally();
  try {
    for await (const entry of archive) {
      signal?.throwIfAborted();
      const { name, size = 0 } = entry.header;
      if (manifest !== undefined) throw damaged(`${name} comes after the end`);
      const bytes = await whole(entry as AsyncIterable<Buffer>, name, size);
      if (header === undefined) {
        if (name !== HEADER) throw damaged("it does not begin with a header");
        header = parsed(headerSchema, bytes, name);
        tables = await makeTables(client, header, onProgress);
      } else if (name.startsWith("tables/")) await tables?.piece(name, bytes);
      else if (name.startsWith("blobs/")) {
        const digest = name.slice("blobs/".length);
        if (sha256(bytes) !== digest) throw damaged(`the blob ${digest} is another`);
        onProgress(`Blob ${digest.slice(0, 12)}`);
        await request.store.put(bytes);
        tally.add(digest, bytes.byteLength);
      } else if (name === MANIFEST) manifest = parsed(manifestSchema, bytes, name);
      else throw damaged(`there is no place for ${name}`);
    }
    await read;
  } catch (error) {
    throw isReadError(error) ? damaged((error as Error).message, error) : error;
  } finally {
    archive.destroy();
  }
  if (header === undefined || tables === undefined) throw damaged("there is nothing in it");
  if (manifest === undefined) throw damaged("its end is missing");
  await tables.finish();
  compare(manifest, tables.digests, tally);
  await settle(client, header.createdAt);
  return summary(header, manifest);
}

/** Errors of gzip, of tar, and of the JSON: the file's, not the machine's. */
function isReadError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof LanistaError) return false;
  const { code = "" } = error as NodeJS.ErrnoException;
  return /^Z_/.test(code) || /Invalid tar|Unexpected end of data|Premature close/i.test(error.message);
}

function parsed<T>(schema: z.ZodType<T>, bytes: Uint8Array, name: string): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (error) {
    throw damaged(`${name} is not what it must be`, error);
  }
}

async function whole(entry: AsyncIterable<Buffer>, name: string, size: number): Promise<Buffer> {
  const most = name.startsWith("blobs/") ? MOST_BLOB_BYTES : MOST_JSON_BYTES;
  if (size > most) throw damaged(`${name} has more than ${most} bytes`);
  const parts: Buffer[] = [];
  for await (const part of entry) parts.push(part);
  return Buffer.concat(parts);
}

/** Makes the tables as the backup's version had them, empty: servers bring them up to date when they start. */
async function makeTables(client: pg.Client, header: Header, onProgress: Progress): Promise<TableReader> {
  if (header.format !== FORMAT) throw damaged(`it has the format ${header.format}, and this version reads ${FORMAT}`);
  for (const { sql } of knownMigrations(header)) await client.query(sql);
  await client.query(MIGRATIONS_TABLE);
  const made = await tablesOf(client);
  const shape = (tables: Header["tables"]) => JSON.stringify([...tables].sort((a, b) => (a.name < b.name ? -1 : 1)));
  if (shape([...made]) !== shape(header.tables)) throw damaged("its tables are not those that its migrations make");
  const names = made.map(({ name }) => pg.escapeIdentifier(name)).join(", ");
  await client.query(`TRUNCATE ${names}`);
  return new TableReader(client, header.tables, onProgress);
}

function knownMigrations(header: Header): readonly Migration[] {
  const own = ownMigrations();
  return header.migrations.map(({ name, checksum }, at) => {
    const migration = own[at];
    if (migration?.name !== name || migration.checksum !== checksum)
      throw new LanistaError(
        "conflict",
        `the backup is of the schema ${header.migrations.at(-1)?.name}, which this version (${schemaVersion(own)}) does not know`,
        { hint: "Restore it with the version that wrote it, or a newer one; nothing was changed." },
      );
    return migration;
  });
}

function compare(manifest: Manifest, tables: readonly TableDigest[], tally: BlobTally): void {
  for (const [at, said] of manifest.tables.entries())
    if (JSON.stringify(said) !== JSON.stringify(tables[at])) throw damaged(`the table ${said.name} is another`);
  if (manifest.tables.length !== tables.length) throw damaged("it has other tables than it says");
  if (JSON.stringify(manifest.blobs) !== JSON.stringify(tally.total())) throw damaged("blobs are missing in it");
}

async function settle(client: pg.Client, createdAt: string): Promise<void> {
  await client.query(
    `UPDATE jobs SET fence = fence + $1, lease_until = CASE state WHEN 'running' THEN now() END,
       max_attempts = max_attempts + CASE state WHEN 'running' THEN 1 ELSE 0 END,
       wait_until = wait_until + greatest(now() - $2::timestamptz, interval '0')
     WHERE state IN ('waiting', 'running')`,
    [FENCE_STEP, createdAt],
  );
  await client.query("DELETE FROM uploads WHERE NOT complete");
}
