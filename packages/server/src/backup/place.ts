/** The database and the store that a configuration means, for a command that is no server. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LanistaError } from "@lanista/api/errors";
import type { ServerConfig } from "../config/config.ts";
import { runningEmbedded, startEmbedded } from "../db/embedded.ts";
import type { DatabaseLog } from "../db/postgres-process.ts";
import { openStore } from "../store/open.ts";
import type { BlobStore } from "../store/store.ts";

export interface Place {
  readonly url: string;
  readonly store: BlobStore;
  close(): Promise<void>;
}

const nothing = async (): Promise<void> => {};

/** What a server has used, or uses now. Throws LanistaError `not_found` for a data folder without a database. */
export async function usedPlace(config: ServerConfig, log: DatabaseLog): Promise<Place> {
  const { databaseUrl, dataDir, store } = config;
  if (databaseUrl !== "") return { url: databaseUrl, store: await openStore(store.url, dataDir), close: nothing };
  if (!existsSync(join(dataDir, "postgres", "data")))
    throw new LanistaError("not_found", `there is no server's database in ${dataDir}`, {
      hint: "Name its folder with --data-dir, or its database with --database-url.",
    });
  const running = await runningEmbedded(dataDir);
  if (running !== undefined) return { url: running, store: await openStore(store.url, dataDir), close: nothing };
  return embeddedPlace(config, log);
}

/** What a server will use; an embedded database that is missing is made. Throws LanistaError `conflict` if one runs. */
export async function newPlace(config: ServerConfig, log: DatabaseLog): Promise<Place> {
  const { databaseUrl, dataDir, store } = config;
  if (databaseUrl === "") return embeddedPlace(config, log);
  return { url: databaseUrl, store: await openStore(store.url, dataDir), close: nothing };
}

async function embeddedPlace({ dataDir, store }: ServerConfig, log: DatabaseLog): Promise<Place> {
  const embedded = await startEmbedded({ dataDir, log });
  try {
    return { url: embedded.url, store: await openStore(store.url, dataDir), close: () => embedded.stop() };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}
