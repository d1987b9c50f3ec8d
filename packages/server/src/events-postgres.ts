/**
 * Events over PostgreSQL's LISTEN, on a connection of its own. Where that breaks it is made anew, and every listener is
 * told to look, since it may have missed something. A connection that is dead without a word is found by asking.
 */
import { sql } from "kysely";
import pg from "pg";
import type { Logger } from "pino";
import type { Events, Topic } from "./events.ts";

const CHANNEL = "lanista";
const RETRY_FIRST_MS = 50;
const RETRY_MOST_MS = 5_000;
const ASK_EVERY_MS = 15_000;
const ANSWER_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 10_000;

export interface EventsOptions {
  readonly url: string;
  readonly log: Logger;
  /** Ends every `changes`. */
  readonly stopping: AbortSignal;
}

/** Connected when it returns. Throws what the connection throws. */
export async function openEvents(options: EventsOptions): Promise<Events> {
  const events = new PostgresEvents(options);
  await events.connect();
  return events;
}

class PostgresEvents implements Events {
  readonly #options: EventsOptions;
  readonly #listeners = new Map<Topic, Set<() => void>>();
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #announced = new Set<Topic>();
  #announcing = false;

  constructor(options: EventsOptions) {
    this.#options = options;
  }

  async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: "lanista-events",
      connectionTimeoutMillis: ANSWER_WITHIN_MS,
      query_timeout: ANSWER_WITHIN_MS,
      keepAlive: true,
    });
    client.on("notification", ({ payload }) => this.#tell(payload ?? ""));
    client.on("error", () => this.#lost(client));
    client.on("end", () => this.#lost(client));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      client.end().catch(() => {});
      throw error;
    }
    if (this.#closed) return void client.end().catch(() => {});
    this.#client = client;
    this.#timer = setTimeout(() => void this.#ask(client), ASK_EVERY_MS);
    this.#timer.unref();
  }

  async #ask(client: pg.Client): Promise<void> {
    try {
      await client.query("SELECT 1");
      if (this.#client !== client) return;
      this.#timer = setTimeout(() => void this.#ask(client), ASK_EVERY_MS);
      this.#timer.unref();
    } catch {
      this.#lost(client);
    }
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    clearTimeout(this.#timer);
    client.end().catch(() => {});
    if (this.#closed) return;
    this.#options.log.warn("the line for events is cut; it is made anew");
    this.#retry(RETRY_FIRST_MS);
  }

  #retry(delay: number): void {
    this.#timer = setTimeout(() => {
      this.connect().then(
        () => {
          if (this.#closed) return;
          this.#options.log.info("the line for events is back");
          for (const topic of [...this.#listeners.keys()]) this.#tell(topic);
        },
        () => {
          if (!this.#closed) this.#retry(Math.min(delay * 2, RETRY_MOST_MS));
        },
      );
    }, delay);
    this.#timer.unref();
  }

  #tell(topic: Topic): void {
    for (const listener of [...(this.#listeners.get(topic) ?? [])]) {
      try {
        listener();
      } catch (error) {
        this.#options.log.error({ err: error, topic }, "a listener to events failed");
      }
    }
  }

  async publish(db: Parameters<Events["publish"]>[0], ...topics: readonly Topic[]): Promise<void> {
    if (topics.length === 0) return;
    await sql`SELECT pg_notify(${CHANNEL}, topic) FROM unnest(${[...new Set(topics)]}::text[]) AS topic`.execute(db);
  }

  announce(db: Parameters<Events["publish"]>[0], topics: readonly Topic[]): void {
    for (const topic of topics) this.#announced.add(topic);
    if (!this.#announcing) void this.#announceAll(db);
  }

  async #announceAll(db: Parameters<Events["publish"]>[0]): Promise<void> {
    this.#announcing = true;
    while (this.#announced.size > 0) {
      const topics = [...this.#announced];
      this.#announced.clear();
      await this.publish(db, ...topics).catch((error: unknown) =>
        this.#options.log.debug({ err: error }, "events could not be told"),
      );
    }
    this.#announcing = false;
  }

  subscribe(topic: Topic, listener: () => void): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    // The same function may be given twice; each stay is its own.
    const own = (): void => listener();
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(topic) === listeners) this.#listeners.delete(topic);
    };
  }

  async *changes(topics: readonly Topic[], signal: AbortSignal, everyMs = LOOK_EVERY_MS): AsyncGenerator<void> {
    const ends = AbortSignal.any([signal, this.#options.stopping]);
    let rung = true;
    let wake = (): void => {};
    const ring = (): void => {
      rung = true;
      wake();
    };
    const leave = topics.map((topic) => this.subscribe(topic, ring));
    ends.addEventListener("abort", ring);
    try {
      while (!ends.aborted && !this.#closed) {
        rung = false;
        yield;
        if (rung) continue;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, everyMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } finally {
      ends.removeEventListener("abort", ring);
      for (const each of leave) each();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    for (const topic of [...this.#listeners.keys()]) this.#tell(topic);
    await client?.end().catch(() => {});
  }
}
