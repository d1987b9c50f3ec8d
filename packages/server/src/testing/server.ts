/** For tests: a whole server on free ports of the loopback, over a database of its own, with ways to make people. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type LanistaClient } from "@lanista/api/client";
import { pino } from "pino";
import { makeToken } from "../accounts/tokens.ts";
import { loadConfig } from "../config/config.ts";
import type { TokenScope } from "../db/types.ts";
import { type Server, type ServerOptions, startServer } from "../main.ts";
import { type TestDatabase, testDatabase } from "./database.ts";

export interface TestServer extends Server {
  readonly database: TestDatabase;
  /** Its data folder. */
  readonly folder: string;
  client(token?: string): LanistaClient;
  /** Makes a person, straight in the database, and gives him a token of this scope. */
  person(name: string, rights?: PersonRights): Promise<TestPerson>;
  /** Ends it and its database. */
  close(): Promise<void>;
}

export interface PersonRights {
  readonly administrator?: boolean;
  /** May found spaces. */
  readonly organiser?: boolean;
  /** Default: the highest he has rights for. */
  readonly scope?: TokenScope;
}

export interface TestPerson {
  readonly id: string;
  readonly token: string;
  readonly tokenId: string;
  readonly client: LanistaClient;
}

export interface TestServerOptions extends ServerOptions {
  /** Settings by name, as flags have them: `{ "limits.ratePerMinute": "5" }`. */
  readonly flags?: Readonly<Record<string, string>>;
  /** A database to share with another server; it is left open. */
  readonly database?: TestDatabase;
}

export async function testServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { flags = {}, database: given, ...rest } = options;
  const database = given ?? (await testDatabase());
  const folder = mkdtempSync(join(tmpdir(), "lanista-test-"));
  const ports = { "http.port": "0", "grpc.port": "0", "metrics.port": "0", "limits.ratePerMinute": "1000000" };
  const own = { ...ports, dataDir: folder, databaseUrl: database.url, "worker.embedded": "false" };
  const { config } = loadConfig({ flags: { ...own, ...flags }, cwd: folder });
  const log = pino({ level: process.env.LANISTA_TEST_LOG ?? "error" }, process.stderr);
  const server = await startServer(config, { log, ...rest });
  const client = (token?: string): LanistaClient =>
    connect({ url: server.urls.http, ...(token === undefined ? {} : { token }) });
  return {
    ...server,
    database,
    folder,
    client,
    async person(name, rights = {}) {
      const { administrator = false, organiser = false } = rights;
      const id = `test-${name}`;
      await database.db
        .insertInto("user")
        .values({ id, name, email: `${name}@example.org`.toLowerCase(), administrator, organiser, image: null })
        .execute();
      const scope = rights.scope ?? (administrator ? "administrator" : "organiser");
      const made = await makeToken(database.db, {
        name: "test",
        scope,
        userId: id,
        createdBy: id,
        spaceId: null,
        queues: [],
        seconds: 3600,
      });
      return { id, token: made.secret, tokenId: made.row.id, client: client(made.secret) };
    },
    async close() {
      await server.close();
      if (given === undefined) await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
