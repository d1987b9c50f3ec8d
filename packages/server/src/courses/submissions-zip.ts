/** All that was handed in for a task as one zip, written while it is read: one bundle at a time is open. */
import { once } from "node:events";
import { Readable } from "node:stream";
import { sql } from "kysely";
import { ZipFile } from "yazl";
import type { Db } from "../db/database.ts";
import type { BlobStore } from "../store/store.ts";

interface Entry {
  readonly digest: string;
  readonly number: number;
  readonly size_bytes: number;
  readonly arrived_at: Date;
  readonly email: string;
  readonly group_name: string | null;
  /** For somebody who has not come in yet. */
  readonly held: boolean;
}

/** By group, then student. `all`: every one that was not cancelled; else each student's last. */
export async function submissionEntries(db: Db, taskId: string, all: boolean): Promise<readonly Entry[]> {
  const { rows } = await sql<Entry & { last: boolean }>`
    SELECT s.digest, s.number, s.size_bytes, s.arrived_at, coalesce(u.email, s.held_for) AS email, m.group_name,
      s.held_for IS NOT NULL AS held,
      row_number() OVER (PARTITION BY s.owner_id, s.held_for ORDER BY s.arrived_at DESC, s.number DESC) = 1 AS last
    FROM task_submissions s LEFT JOIN "user" u ON u.id = s.owner_id
    LEFT JOIN members m ON m.user_id = s.owner_id AND m.space_id = s.space_id
    WHERE s.task_id = ${taskId} AND (s.state <> 'cancelled' OR s.grades > 0)
    ORDER BY m.group_name NULLS LAST, email, s.number`.execute(db);
  return rows.filter(({ last }) => all || last);
}

/** Made of an address: what other signs people have in theirs is nothing to make paths of. */
const plain = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9@._+-]/g, "_")
    .replace(/^\.+/, "_")
    .slice(0, 120);

export function entryName({ email, number, group_name: group, held }: Entry): string {
  const folder = group === null || group === "" ? "" : `${plain(group)}/`;
  return `${folder}${plain(email)}-${held ? "held-" : ""}${number}.zip`;
}

/** The zip's bytes. What a reader leaves unread is not read from the store. */
export function submissionsZip(store: BlobStore, entries: readonly Entry[], signal: AbortSignal): Readable {
  const zip = new ZipFile();
  // Bundles are zips themselves: nothing is gained by packing them again.
  void (async () => {
    for (const entry of entries) {
      signal.throwIfAborted();
      const bytes = Readable.from(await store.open(entry.digest));
      zip.addReadStream(bytes, entryName(entry), { mtime: entry.arrived_at, compress: false, size: entry.size_bytes });
      await once(bytes, "close", { signal });
    }
    zip.end();
  })().catch((error: Error) => (zip.outputStream as Readable).destroy(error));
  return zip.outputStream as Readable;
}
