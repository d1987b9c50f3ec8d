/** What every part of the server is given: put together once, in main.ts, and passed as it is. */

import type { Logger } from "pino";
import type { ServerConfig } from "./config/config.ts";
import type { Database, Db } from "./db/database.ts";
import type { Events } from "./events.ts";
import type { JobKind } from "./jobs/kinds.ts";
import type { Metrics } from "./ops/metrics.ts";
import type { BlobStore } from "./store/store.ts";

export interface App {
  readonly config: ServerConfig;
  readonly database: Database;
  /** `database.db`. */
  readonly db: Db;
  readonly events: Events;
  readonly store: BlobStore;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What is done at the start and the end of a job, by its kind. */
  readonly kinds: ReadonlyMap<string, JobKind>;
  /** Aborted when the server begins to stop: streams end, ticks stop. */
  readonly stopping: AbortSignal;
}
