/**
 * What lies in the store and no row names: replays of reports that were not settled, bundles of hand-ins that were refused or whose
 * server died. The clean-up deletes it a day after it was last put.
 *
 * Bytes are put before a row names them, so a digest that nobody names may be about to be. Two things keep it: to put what
 * is there already makes it young again; and whoever does so, or is about to name it, holds the digest's advisory lock
 * meanwhile, which who deletes takes for himself alone before he looks how old it is and deletes. What is not there yet needs
 * no lock: once it is there it is young.
 */
import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Db, Tx } from "../db/database.ts";

const DAY_SECONDS = 86_400;
/** Digests asked of the database at once. */
const BATCH = 1000;

const lockKey = (digest: string) => sql`hashtextextended(${`lanista blob ${digest}`}, 0)`;

/** Until the transaction's end it is not deleted. */
export async function holdBlob(tx: Tx, digest: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock_shared(${lockKey(digest)})`.execute(tx);
}

/** Puts the bytes into the store, for a row that is written soon after; gives their digest. */
export async function keepBlob(app: App, bytes: Uint8Array): Promise<string> {
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (await app.store.has(digest))
    await app.db.transaction().execute(async (tx) => {
      await holdBlob(tx, digest);
      await app.store.put(bytes);
    });
  else await app.store.put(bytes);
  return digest;
}

/** Deletes what no row names and nobody has put for so long. Gives how many blobs that were. */
export async function collectOrphans(app: App, seconds: number = DAY_SECONDS): Promise<number> {
  let gone = 0;
  for await (const digests of batches(app)) {
    for (const digest of await unnamed(app.db, digests)) {
      if (app.stopping.aborted) return gone;
      if (await collect(app, digest, seconds)) gone++;
    }
  }
  return gone;
}

async function* batches({ store }: App): AsyncIterable<string[]> {
  let batch: string[] = [];
  for await (const digest of store.list()) {
    batch.push(digest);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function unnamed(db: Db | Tx, digests: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ digest: string }>`
    SELECT digest FROM unnest(${digests}::text[]) AS stored (digest)
    WHERE NOT EXISTS (SELECT FROM bundles b WHERE b.digest = stored.digest)
      AND NOT EXISTS (SELECT FROM matches m WHERE m.replay_blob = stored.digest)`.execute(db);
  return rows.map(({ digest }) => digest);
}

/** Who holds it now is about to name it, or makes it young. */
async function collect(app: App, digest: string, seconds: number): Promise<boolean> {
  return await app.db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ got: boolean }>`SELECT pg_try_advisory_xact_lock(${lockKey(digest)}) AS got`.execute(
      tx,
    );
    if (rows[0]?.got !== true || (await unnamed(tx, [digest])).length === 0) return false;
    return await app.store.deleteOlder(digest, seconds);
  });
}
