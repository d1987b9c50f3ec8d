/** The options of every command that talks to a server; apart from the client, which commands of this machine need not load. */
import type { Command } from "commander";

export interface RemoteOptions {
  readonly server?: string;
  readonly token?: string;
  readonly json?: true;
}

export function addRemoteOptions(command: Command): Command {
  return command
    .option("--server <url>", "the server (default: LANISTA_SERVER, the login's, or http://localhost:8080)")
    .option("--token <token>", "a token (default: LANISTA_TOKEN, what LANISTA_TOKEN_FILE holds, or the login's)")
    .option("--json", "print one JSON document");
}
