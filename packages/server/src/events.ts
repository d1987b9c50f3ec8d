/**
 * What changed, told to every server: PostgreSQL's NOTIFY, sent inside the transaction that made the change, so that it
 * is heard when, and only if, the change is there. An event carries no data: whoever hears it reads the row again. So one
 * that was lost with a broken connection does no harm: after a reconnect every listener is told to look.
 */
import type { Kysely } from "kysely";
import type { Tables } from "./db/types.ts";

/** `job:ID`, `match:ID`, `queue:NAME`, `worker:ID`, `queues` (limits or pauses changed), `ladder:ID`. */
export type Topic = string;

export interface Events {
  /** Within a transaction: heard at its commit. */
  publish(db: Kysely<Tables>, ...topics: readonly Topic[]): Promise<void>;
  /** Of what is committed, soon, and without keeping anybody: what comes while others are on their way goes with the next. */
  announce(db: Kysely<Tables>, topics: readonly Topic[]): void;
  /** Calls `listener` on every event of the topic, and once after each reconnect. */
  subscribe(topic: Topic, listener: () => void): () => void;
  /**
   * Yields at once, then whenever one of the topics was told of (several events in a row may be one), and at the latest
   * every `everyMs` (default 10,000). Ends when the signal is aborted, and when the server closes.
   */
  changes(topics: readonly Topic[], signal: AbortSignal, everyMs?: number): AsyncIterable<void>;
  close(): Promise<void>;
}
