/**
 * A backup is one tar archive, gzipped:
 *
 *   header.json               which format, which schema, which tables with which columns, in an order to restore them in
 *   tables/NAME/000000 …      the table, as COPY writes it (text), in pieces
 *   blobs/DIGEST …            what the rows speak of, from the store
 *   manifest.json             the tables' digests, the number of blobs and the digest of their names
 *
 * All tables are of one snapshot, however busy the server. A blob never changes, so it may be read later. pg-boss's
 * tables are left out: what is in them the servers put there again when they start.
 */
import { createHash, type Hash } from "node:crypto";
import { LanistaError } from "@lanista/api/errors";
import { z } from "zod";

export const FORMAT = 1;
export const HEADER = "header.json";
export const MANIFEST = "manifest.json";
/** The most that a header or a manifest may take, and a piece of a table. */
export const MOST_JSON_BYTES = 64 * 2 ** 20;
export const PIECE_BYTES = 4 * 2 ** 20;

const name = z.string().min(1).max(63);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

export const headerSchema = z.strictObject({
  format: z.int(),
  createdAt: z.iso.datetime(),
  /** The migrations that made the tables. */
  migrations: z.array(z.strictObject({ name: z.string().max(200), checksum: digest })).max(10_000),
  tables: z.array(z.strictObject({ name, columns: z.array(name).max(1600) })).max(10_000),
});
export type Header = z.infer<typeof headerSchema>;

export const manifestSchema = z.strictObject({
  tables: z.array(z.strictObject({ name, rows: count, bytes: count, sha256: digest })).max(10_000),
  blobs: z.strictObject({ count, bytes: count, sha256: digest }),
  /** What rows speak of and the store did not have, or had in another wording. */
  missing: z.array(digest),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type TableDigest = Manifest["tables"][number];

/** What both commands tell. */
export interface BackupSummary {
  readonly createdAt: string;
  /** The newest migration. */
  readonly schema: string;
  readonly tables: number;
  readonly rows: number;
  readonly blobs: number;
  readonly blobBytes: number;
  /** Digests that rows speak of and the store did not have: 0 of them in a sound store. */
  readonly missing: readonly string[];
}

/** Told what is being done, for people. */
export type Progress = (text: string) => void;

export const tablePiece = (table: string, piece: number): string => `tables/${table}/${String(piece).padStart(6, "0")}`;
export const blobName = (digest: string): string => `blobs/${digest}`;

/** Adds up blobs as they pass: the digest is of their names, one after the other. */
export class BlobTally {
  readonly #hash: Hash = createHash("sha256");
  #count = 0;
  #bytes = 0;

  add(digest: string, bytes: number): void {
    this.#hash.update(`${digest}\n`);
    this.#count++;
    this.#bytes += bytes;
  }

  /** May be asked once. */
  total(): Manifest["blobs"] {
    return { count: this.#count, bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export function summary(header: Header, manifest: Manifest): BackupSummary {
  return {
    createdAt: header.createdAt,
    schema: header.migrations.at(-1)?.name ?? "",
    tables: manifest.tables.length,
    rows: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
    blobs: manifest.blobs.count,
    blobBytes: manifest.blobs.bytes,
    missing: manifest.missing,
  };
}

/** The file is no backup, or not as it was written. */
export const damaged = (why: string, cause?: unknown): LanistaError =>
  new LanistaError("invalid", `the backup cannot be restored: ${why}`, {
    hint: "Nothing was changed; is it the file that lanista backup wrote, and all of it?",
    ...(cause === undefined ? {} : { cause }),
  });
