/** Feeds the pieces of a backup's tables to COPY, and adds them up. */
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import pg from "pg";
import { type CopyStreamQuery, from as copyFrom } from "pg-copy-streams";
import { damaged, type Header, type Progress, type TableDigest, tablePiece } from "./format.ts";

/** One piece after the other, one table after the other, in the header's order. */
export class TableReader {
  readonly digests: TableDigest[] = [];
  readonly #client: pg.Client;
  readonly #tables: Header["tables"];
  readonly #onProgress: Progress;
  #open:
    | { name: string; copy: CopyStreamQuery; done: Promise<void>; hash: Hash; bytes: number; pieces: number }
    | undefined;

  constructor(client: pg.Client, tables: Header["tables"], onProgress: Progress) {
    this.#client = client;
    this.#tables = tables;
    this.#onProgress = onProgress;
  }

  async piece(entry: string, bytes: Buffer): Promise<void> {
    const name = entry.split("/")[1] ?? "";
    if (this.#open?.name !== name) await this.#begin(name);
    const open = this.#open;
    if (open === undefined || entry !== tablePiece(name, open.pieces)) throw damaged(`${entry} is out of its order`);
    open.pieces++;
    open.bytes += bytes.byteLength;
    open.hash.update(bytes);
    if (!open.copy.write(bytes)) await Promise.race([once(open.copy, "drain"), open.done]);
  }

  async #begin(name: string): Promise<void> {
    await this.#end();
    const at = this.#tables.findIndex((table) => table.name === name);
    const table = this.#tables[at];
    if (table === undefined || at < this.digests.length) throw damaged(`the table ${name} is out of its order`);
    // Those between are empty: they have no pieces.
    for (const empty of this.#tables.slice(this.digests.length, at)) this.#empty(empty.name);
    this.#onProgress(`Table ${at + 1} of ${this.#tables.length}: ${name}`);
    const list = table.columns.map((column) => pg.escapeIdentifier(column)).join(", ");
    const copy = this.#client.query(copyFrom(`COPY ${pg.escapeIdentifier(name)} (${list}) FROM STDIN`));
    const done = finished(copy);
    done.catch(() => {});
    this.#open = { name, copy, done, hash: createHash("sha256"), bytes: 0, pieces: 0 };
  }

  #empty(name: string): void {
    this.digests.push({ name, rows: 0, bytes: 0, sha256: createHash("sha256").digest("hex") });
  }

  async #end(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    open.copy.end();
    await open.done;
    const { name, bytes, hash, copy } = open;
    this.digests.push({ name, rows: copy.rowCount ?? 0, bytes, sha256: hash.digest("hex") });
  }

  /** No more tables come. */
  async finish(): Promise<void> {
    await this.#end();
    for (const empty of this.#tables.slice(this.digests.length)) this.#empty(empty.name);
  }
}
