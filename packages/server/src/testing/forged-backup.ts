/** For tests: backups that are not as they were written. */
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { extract, pack } from "tar-stream";

export interface ArchiveEntry {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The archive of `file`, each entry as `change` leaves it, as a new file beside it. */
export async function forged(file: string, change: (entry: ArchiveEntry) => ArchiveEntry | undefined): Promise<string> {
  const out = pack();
  const archive = extract();
  archive.end(gunzipSync(readFileSync(file)));
  for await (const entry of archive) {
    const parts: Buffer[] = [];
    for await (const part of entry as AsyncIterable<Buffer>) parts.push(part);
    const changed = change({ name: entry.header.name, bytes: Buffer.concat(parts) });
    if (changed !== undefined) out.entry({ name: changed.name }, changed.bytes);
  }
  out.finalize();
  const made: Buffer[] = [];
  for await (const part of out as AsyncIterable<Buffer>) made.push(part);
  const path = `${file}.forged`;
  writeFileSync(path, gzipSync(Buffer.concat(made)));
  return path;
}
