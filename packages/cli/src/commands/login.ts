import { hostname } from "node:os";
import { connect } from "@lanista/api/client";
import { fromWire } from "@lanista/api/errors";
import { Scope } from "@lanista/api/gen/lanista/v1/access_pb";
import { WhoAmIResponseSchema } from "@lanista/api/gen/lanista/v1/tokens_pb";
import { Command } from "commander";
import { z } from "zod";
import type { Context } from "../context.ts";
import { askAccounts } from "../remote/accounts.ts";
import { ask, lineOfStdin } from "../remote/ask.ts";
import { forget, keep, readKept } from "../remote/credentials.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print } from "../remote/print.ts";
import { remote, serverUrl } from "../remote/remote.ts";
import { note, type Terminal, writeJson, writeLine } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface LoginOptions extends RemoteOptions {
  readonly email?: string;
  readonly passwordStdin?: true;
  readonly signUp?: true;
  readonly name?: string;
  readonly invitation?: string;
}

const signedIn = z.object({ token: z.string().min(1) });

export function loginCommand(context: Context): Command {
  return new Command("login")
    .description("log in at a server: keeps a token of yours in a file that you alone can read")
    .option("--server <url>", "the server (default: LANISTA_SERVER, the last login's, or http://localhost:8080)")
    .option("--email <address>", "your address (default: asked)")
    .option("--password-stdin", "read the password from standard input instead of asking")
    .option("--sign-up", "make the account first")
    .option("--name <name>", "with --sign-up: what others call you (default: asked)")
    .option("--invitation <code>", "with --sign-up: an invitation's code, which most servers ask for")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ lanista login --server https://lanista.example.org --email ada@example.org")
    .action((options: LoginOptions) => login(context, options));
}

async function login(context: Context, options: LoginOptions): Promise<void> {
  const { terminal } = context;
  const server = await serverUrl(context, options);
  const email = options.email ?? (await ask(context, `Address at ${server}: `, "--email"));
  const name = options.signUp ? (options.name ?? (await ask(context, "Your name: ", "--name"))) : "";
  const password = options.passwordStdin
    ? await lineOfStdin(terminal)
    : await ask(context, "Password: ", "--password-stdin", true);
  const session = await authenticate(server, options.signUp ? "sign-up" : "sign-in", {
    email,
    password,
    ...(options.signUp ? { name } : {}),
    ...(options.signUp && options.invitation !== undefined ? { invitation: options.invitation } : {}),
  });
  const made = await tokenOf(server, session).finally(() => signOut(terminal, server, session));
  const path = await keep(terminal, { server, email, token: made.secret, tokenId: made.tokenId });
  if (options.json) writeJson(terminal, { server, email, user: made.userId, file: path });
  else writeLine(terminal, `Logged in at ${server} as ${email}. The token is in ${path}.`);
}

/** As much as the person may do. */
async function tokenOf(
  server: string,
  session: string,
): Promise<{ secret: string; tokenId: string; userId: string | null }> {
  const { tokens } = connect({ url: server, token: session });
  const me = await tokens.whoAmI({});
  const scope = me.user?.administrator
    ? Scope.ADMINISTRATOR
    : me.scopes.includes(Scope.ORGANISER)
      ? Scope.ORGANISER
      : Scope.PARTICIPANT;
  const made = await tokens.createToken({ name: `lanista login on ${hostname()}`.slice(0, 100), scope });
  return { secret: made.secret, tokenId: made.token?.id ?? "", userId: me.user?.id ?? null };
}

/** The session was good for the token alone; left open, it would be good for a month. */
async function signOut(terminal: Terminal, server: string, session: string): Promise<void> {
  await askAccounts(server, "sign-out", {}, { what: "the sign-out", session }).catch((error: Error) =>
    note(terminal, `The session that made the token is left open: ${error.message}`),
  );
}

/** A session's token. Throws UsageError with what the server said. */
async function authenticate(server: string, how: "sign-in" | "sign-up", body: object): Promise<string> {
  const answer = await askAccounts(server, `${how}/email`, body, { what: `the ${how}` });
  const found = signedIn.safeParse(answer);
  if (!found.success) throw new UsageError(`${server} does not answer as a server of ours: is it the right address?`);
  return found.data.token;
}

export function logoutCommand(context: Context): Command {
  return new Command("logout")
    .description("revoke the login's token and forget it")
    .addHelpText("after", "\nExample:\n  $ lanista logout")
    .action(async () => {
      const { terminal } = context;
      const login = await readKept(terminal);
      if (login === null) throw new UsageError("nobody is logged in");
      await connect({ url: login.server, token: login.token })
        .tokens.revokeToken({ tokenId: login.tokenId })
        .catch((error) =>
          note(terminal, `The token could not be revoked at ${login.server}: ${fromWire(error).message}`),
        );
      await forget(terminal);
      writeLine(terminal, `Logged out of ${login.server}.`);
    });
}

export function whoamiCommand(context: Context): Command {
  return addRemoteOptions(new Command("whoami"))
    .description("print who the server takes you for")
    .addHelpText("after", "\nExample:\n  $ lanista whoami")
    .action(async (options: RemoteOptions) => {
      const answer = await (await remote(context, options)).tokens.whoAmI({});
      print(context, options, WhoAmIResponseSchema, answer, () => {
        const scopes = answer.scopes.map((scope) => Scope[scope].toLowerCase()).join(", ");
        return answer.user === undefined
          ? `a machine: ${scopes}`
          : `${answer.user.name} <${answer.user.email}>: ${scopes}`;
      });
    });
}
