/** Writes a backup of a database and its store, while servers go on using both. The format: format.ts. */
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { LanistaError } from "@lanista/api/errors";
import pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { type Pack, pack } from "tar-stream";
import type { BlobStore } from "../store/store.ts";
import {
  type BackupSummary,
  BlobTally,
  blobName,
  FORMAT,
  HEADER,
  type Header,
  MANIFEST,
  type Manifest,
  PIECE_BYTES,
  type Progress,
  sha256,
  summary,
  type TableDigest,
  tablePiece,
} from "./format.ts";
import { COPY_SETTINGS, tablesOf } from "./tables.ts";

export interface BackupRequest {
  /** The database's URL. */
  readonly url: string;
  readonly store: BlobStore;
  /** Where to; must not be there yet. It gets its name when it is whole. */
  readonly file: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: Progress;
}

/** Throws LanistaError: `exists` if the file is there, `conflict` if the database holds no server's tables. */
export async function writeBackup(request: BackupRequest): Promise<BackupSummary> {
  const file = resolve(request.file);
  if (existsSync(file)) throw new LanistaError("exists", `${file} is there already`, { hint: "Name another file." });
  const half = join(dirname(file), `.${basename(file)}.${randomUUID()}.half`);
  const client = new pg.Client({ connectionString: request.url, application_name: "lanista backup" });
  // A connection that breaks shows in the query under way.
  client.on("error", () => {});
  const archive = pack();
  try {
    await client.connect();
    const written = pipeline(archive, createGzip({ level: 3 }), createWriteStream(half, { mode: 0o600, flush: true }), {
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    // Whichever fails first says why: the database, or the disk.
    const filled = fill(client, archive, request).catch((error: unknown) => {
      archive.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    });
    const [done] = await Promise.all([filled, written]);
    await rename(half, file);
    await syncFolder(dirname(file));
    return done;
  } finally {
    archive.destroy();
    await client.end().catch(() => {});
    await rm(half, { force: true });
  }
}

async function fill(client: pg.Client, archive: Pack, request: BackupRequest): Promise<BackupSummary> {
  const { onProgress = () => {}, signal, store } = request;
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  await client.query(COPY_SETTINGS);
  const header = await readHeader(client);
  await add(archive, HEADER, Buffer.from(JSON.stringify(header)));
  const needed = await neededBlobs(client);
  const spoken = new Set<string>();
  const tables: TableDigest[] = [];
  for (const [at, table] of header.tables.entries()) {
    signal?.throwIfAborted();
    onProgress(`Table ${at + 1} of ${header.tables.length}: ${table.name}`);
    tables.push(await copyTable(client, archive, table, spoken));
  }
  await client.query("COMMIT");

  const tally = new BlobTally();
  const missing: string[] = [];
  const digests = [...new Set([...needed, ...spoken])].sort();
  for (const [at, digest] of digests.entries()) {
    signal?.throwIfAborted();
    onProgress(`Blob ${at + 1} of ${digests.length}`);
    const bytes = await readBlob(store, digest);
    if (bytes === undefined) {
      if (needed.has(digest)) missing.push(digest);
      continue;
    }
    await add(archive, blobName(digest), bytes);
    tally.add(digest, bytes.byteLength);
  }
  const manifest: Manifest = { tables, blobs: tally.total(), missing };
  await add(archive, MANIFEST, Buffer.from(JSON.stringify(manifest)));
  archive.finalize();
  return summary(header, manifest);
}

async function readHeader(client: pg.Client): Promise<Header> {
  const tables = await tablesOf(client);
  if (!tables.some(({ name }) => name === "migrations"))
    throw new LanistaError("conflict", "this database holds nothing of a server's", {
      hint: "Name the one that the server uses: --database-url or --data-dir.",
    });
  const { rows: migrations } = await client.query<{ name: string; checksum: string }>(
    "SELECT name, checksum FROM migrations ORDER BY name",
  );
  return { format: FORMAT, createdAt: new Date().toISOString(), migrations, tables: [...tables] };
}

/** What a row names as its bytes. */
async function neededBlobs(client: pg.Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ digest: string }>(
    "SELECT digest FROM bundles UNION SELECT replay_blob FROM matches WHERE replay_blob IS NOT NULL",
  );
  return new Set(rows.map(({ digest }) => digest));
}

/** Payloads and results name blobs, too: whatever looks like a digest is asked of the store. */
const DIGESTS = /(?<![0-9a-zA-Z])[0-9a-f]{64}(?![0-9a-zA-Z])/g;

async function copyTable(
  client: pg.Client,
  archive: Pack,
  { name, columns }: Header["tables"][number],
  spoken: Set<string>,
): Promise<TableDigest> {
  const list = columns.map((column) => pg.escapeIdentifier(column)).join(", ");
  const stream = client.query(copyTo(`COPY ${pg.escapeIdentifier(name)} (${list}) TO STDOUT`));
  const hash = createHash("sha256");
  let bytes = 0;
  let pieces = 0;
  let held: Buffer[] = [];
  let size = 0;
  let tail = "";
  const flush = async (): Promise<void> => {
    if (size === 0) return;
    const piece = Buffer.concat(held);
    held = [];
    size = 0;
    const text = tail + piece.toString("latin1");
    for (const [digest] of text.matchAll(DIGESTS)) spoken.add(digest);
    tail = text.slice(-66);
    await add(archive, tablePiece(name, pieces++), piece);
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    held.push(chunk);
    size += chunk.byteLength;
    if (size >= PIECE_BYTES) await flush();
  }
  await flush();
  return { name, rows: stream.rowCount ?? 0, bytes, sha256: hash.digest("hex") };
}

/** Undefined: it is not there, or not what its name says. */
async function readBlob(store: BlobStore, digest: string): Promise<Uint8Array | undefined> {
  if (!(await store.has(digest))) return undefined;
  try {
    const bytes = await store.get(digest);
    return sha256(bytes) === digest ? bytes : undefined;
  } catch (error) {
    if (error instanceof LanistaError && error.code === "not_found") return undefined;
    throw error;
  }
}

async function add(archive: Pack, name: string, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const entry = archive.entry({ name, size: bytes.byteLength, mode: 0o600 }, (error) =>
      error ? reject(error) : resolve(),
    );
    entry.end(bytes);
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}
