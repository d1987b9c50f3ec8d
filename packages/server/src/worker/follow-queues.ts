/**
 * The embedded worker serves all queues that are no space's own. It says hello with those of its start; what comes after that is
 * written into its row here, from which claims and its line to the server (jobs/attend.ts) take them. Where it says hello
 * again, with the old ones, the next look mends it.
 */
import { sql } from "kysely";
import type { App } from "../app.ts";

/** A worker names at most this many. */
const MOST_QUEUES = 32;
const EVERY_MS = 2000;

/** All that are no space's own, as they are now, by name. */
export async function openQueues({ db }: App): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("queues")
    .select("name")
    .where("space_id", "is", null)
    .orderBy("name")
    .limit(MOST_QUEUES)
    .execute();
  return rows.map(({ name }) => name);
}

/** Until the signal is aborted. Never throws: a database that is away is there again at some later look. */
export async function followQueues(app: App, tokenId: string, signal: AbortSignal): Promise<void> {
  for await (const _ of app.events.changes(["queues"], signal, EVERY_MS)) {
    try {
      await writeQueues(app, tokenId);
    } catch (error) {
      app.log.warn({ err: error }, "the embedded worker's queues could not be followed; the next look does it");
    }
  }
}

async function writeQueues(app: App, tokenId: string): Promise<void> {
  const queues = await openQueues(app);
  const { rows } = await sql<{ id: string }>`
    UPDATE workers SET queues = ${queues}::text[]
    WHERE token_id = ${tokenId} AND NOT (queues @> ${queues}::text[] AND queues <@ ${queues}::text[])
    RETURNING id`.execute(app.db);
  if (rows.length > 0) await app.events.publish(app.db, ...rows.map(({ id }) => `worker:${id}`));
}
