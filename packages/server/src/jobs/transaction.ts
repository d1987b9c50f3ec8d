/** Transactions of the queue: short, and begun again where the database undid one for another's sake. */
import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";

/** serialization_failure, deadlock_detected. */
const AGAIN = new Set(["40001", "40P01"]);
const TRIES = 4;

export function databaseCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** `body` may run several times; what it does outside of the transaction must not mind. */
export async function inTransaction<T>(app: App, body: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await app.db.transaction().execute(body);
    } catch (error) {
      if (tries === TRIES || !AGAIN.has(databaseCode(error))) throw error;
      await sleep(Math.random() * 20 * tries);
    }
  }
}

/** Whether the database itself failed (away, shutting down, out of room): nobody's fault but for now. */
export function isPassing(error: unknown): boolean {
  const code = databaseCode(error);
  // Connections, lack of resources, an operator's doing, I/O; and Node's names for a socket that is gone.
  return (
    /^(08|53|57|58|40)...$/.test(code) || /^E[A-Z]+$/.test(code) || /Connection terminated|timeout/.test(String(error))
  );
}

/**
 * Tells of what was committed, without keeping whoever waits for an answer: events are hints, and who listens looks by himself
 * now and then. Not within the transaction: PostgreSQL lets one that has a NOTIFY commit at a time, flush included.
 */
export function tell(app: App, topics: () => Promise<readonly string[]>): void {
  topics()
    .then((found) => app.events.announce(app.db, found))
    .catch((error: unknown) => app.log.debug({ err: error }, "an event could not be told"));
}
