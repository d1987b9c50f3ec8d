/** The one store: a pool of connections, and Kysely over it. */
import { Kysely, PostgresDialect, type Transaction } from "kysely";
import pg from "pg";
import type { Tables } from "./types.ts";

export type Db = Kysely<Tables>;
/** Inside a transaction. */
export type Tx = Transaction<Tables>;

export interface Database {
  readonly db: Db;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

const BIGINT = 20;

export interface DatabaseOptions {
  /** `postgres://…`, or a folder's Unix socket as `postgres:///lanista?host=/folder`. */
  readonly url: string;
  /** Connections at most; default 10. */
  readonly size?: number;
  /** Told of connections that broke while idle; the pool makes new ones. */
  readonly onError?: (error: Error) => void;
}

/** Opens no connection yet. */
export function openDatabase(options: DatabaseOptions): Database {
  const types = {
    getTypeParser: ((id: number, format?: "text" | "binary") =>
      id === BIGINT ? Number : pg.types.getTypeParser(id, format as "text")) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.size ?? 10,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    application_name: "lanista",
    types,
  });
  pool.on("error", options.onError ?? (() => {}));
  // One that breaks while it is in use fails its query; without a listener of its own it would end the process as well.
  pool.on("connect", (client) => client.on("error", () => {}));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const close = async (): Promise<void> => {
    await db.destroy();
    // Kysely ends the pool only if it has used it.
    if (!pool.ending) await pool.end();
  };
  return { db, pool, close };
}
