/** For tests: a real server, and command lines run against it as somebody. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestServer, type TestServerOptions, testServer } from "@lanista/server/testing/server";
import { type Circumstances, type Ran, runCommandIn } from "./testing.ts";

export interface ServedCommands {
  readonly server: TestServer;
  /** A folder of the test's own. */
  readonly folder: string;
  /** With this token; `null`: with the login kept in `folder`, if any. */
  as(token: string | null, ...argv: readonly string[]): Promise<Ran>;
  /** The same under circumstances. */
  under(circumstances: Circumstances, ...argv: readonly string[]): Promise<Ran>;
  /** The document that it prints with --json; it must end well. */
  json(token: string | null, ...argv: readonly string[]): Promise<unknown>;
  close(): Promise<void>;
}

export async function servedCommands(options: TestServerOptions = {}): Promise<ServedCommands> {
  const flags = { "limits.signInPerMinute": "10000", ...options.flags };
  const server = await testServer({ ...options, flags });
  const folder = mkdtempSync(join(tmpdir(), "lanista-remote-"));
  const here = { LANISTA_SERVER: server.urls.http, XDG_CONFIG_HOME: folder };
  const under: ServedCommands["under"] = ({ environment, ...rest }, ...argv) =>
    runCommandIn({ ...rest, environment: { ...here, ...environment } }, ...argv);
  const as: ServedCommands["as"] = (token, ...argv) =>
    under(token === null ? {} : { environment: { LANISTA_TOKEN: token } }, ...argv);
  return {
    server,
    folder,
    as,
    under,
    async json(token, ...argv) {
      const { code, stdout, stderr } = await as(token, ...argv, "--json");
      if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${stderr}${stdout}`);
      return JSON.parse(stdout);
    },
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
