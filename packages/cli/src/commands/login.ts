import { hostname } from "node:os";
import { connect } from "@lanista/api/client";
import { fromWire } from "@lanista/api/errors";
import { Scope } from "@lanista/api/gen/lanista/v1/access_pb";
import { WhoAmIResponseSchema } from "@lanista/api/gen/lanista/v1/tokens_pb";
import { Command } from "commander";
import { z } from "zod";
import type { Context } from "../context.ts";
import { ask, lineOfStdin } from "../remote/ask.ts";
import { forget, keep, readKept } from "../remote/credentials.ts";
import { print } from "../remote/print.ts";
import { addRemoteOptions, type RemoteOptions, remote, serverUrl } from "../remote/remote.ts";
import { note, writeJson, writeLine } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface LoginOptions extends RemoteOptions {
  readonly email?: string;
  readonly passwordStdin?: true;
  readonly signUp?: true;
  readonly name?: string;
  readonly invitation?: string;
}

const signedIn = z.object({ token: z.string().min(1) });
const refusal = z.object({ message: z.string() });

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
    ? await lineOfStdin()
    : await ask(context, "Password: ", "--password-stdin", true);
  const session = await authenticate(server, options.signUp ? "sign-up" : "sign-in", {
    email,
    password,
    ...(options.signUp ? { name } : {}),
    ...(options.signUp && options.invitation !== undefined ? { invitation: options.invitation } : {}),
  });
  const client = connect({ url: server, token: session });
  const me = await client.tokens.whoAmI({});
  const scope = me.user?.administrator
    ? Scope.ADMINISTRATOR
    : me.scopes.includes(Scope.ORGANISER)
      ? Scope.ORGANISER
      : Scope.PARTICIPANT;
  const made = await client.tokens.createToken({ name: `lanista login on ${hostname()}`.slice(0, 100), scope });
  const path = await keep(terminal, { server, email, token: made.secret, tokenId: made.token?.id ?? "" });
  if (options.json) writeJson(terminal, { server, email, user: me.user?.id ?? null, file: path });
  else writeLine(terminal, `Logged in at ${server} as ${email}. The token is in ${path}.`);
}

/** A session's token, of better-auth's routes. Throws UsageError with what the server said. */
async function authenticate(server: string, what: "sign-in" | "sign-up", body: object): Promise<string> {
  const answer = await fetch(`${server}/api/auth/${what}/email`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  }).catch((error: unknown) => {
    throw new UsageError(`${server} does not answer: is it the right address, and is the server up?`, { cause: error });
  });
  const text = await answer.text();
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Not ours: the status below says enough.
  }
  const found = signedIn.safeParse(json);
  if (answer.ok && found.success) return found.data.token;
  const said = refusal.safeParse(json);
  throw new UsageError(
    `${server} refused the ${what}: ${said.success ? said.data.message : `it answered with status ${answer.status}`}`,
  );
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
