import { Command, Option } from "commander";
import type { Context } from "../context.ts";
import { askAccounts } from "../remote/accounts.ts";
import { ask, lineOfStdin } from "../remote/ask.ts";
import { serverUrl } from "../remote/remote.ts";
import { writeJson, writeLine } from "../terminal.ts";

interface PasswordOptions {
  readonly server?: string;
  readonly secret?: string;
  readonly passwordStdin?: true;
  readonly forgotten?: true;
  readonly email?: string;
  readonly json?: true;
}

export function passwordCommand(context: Context): Command {
  return new Command("password")
    .description("set a new password, with the one-time token of a mail or an administrator")
    .option("--server <url>", "the server (default: LANISTA_SERVER, the login's, or http://localhost:8080)")
    .option("--secret <token>", "the one-time token (default: asked)")
    .option("--password-stdin", "read the password from standard input instead of asking")
    .addOption(
      new Option("--forgotten", "ask the server to mail you the one-time token").conflicts(["secret", "passwordStdin"]),
    )
    .option("--email <address>", "with --forgotten: your address (default: asked)")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  $ lanista password --forgotten --email ada@example.org\n  $ lanista password --secret …",
    )
    .action((options: PasswordOptions) => (options.forgotten ? askForMail(context, options) : set(context, options)));
}

async function askForMail(context: Context, options: PasswordOptions): Promise<void> {
  const server = await serverUrl(context, options);
  const email = options.email ?? (await ask(context, `Address at ${server}: `, "--email"));
  await askAccounts(server, "request-password-reset", { email }, { what: "to send a mail" });
  if (options.json) writeJson(context.terminal, { server, email, asked: true });
  else
    writeLine(
      context.terminal,
      `If ${email} has an account at ${server}, a mail with a one-time token is on its way; it is good for an hour.`,
    );
}

async function set(context: Context, options: PasswordOptions): Promise<void> {
  const server = await serverUrl(context, options);
  const token = options.secret ?? (await ask(context, "The one-time token: ", "--secret", true));
  const newPassword = options.passwordStdin
    ? await lineOfStdin(context.terminal)
    : await ask(context, "The new password (10 characters at least): ", "--password-stdin", true);
  await askAccounts(server, "reset-password", { token, newPassword }, { what: "the new password" });
  if (options.json) writeJson(context.terminal, { server, set: true });
  else
    writeLine(
      context.terminal,
      "The new password is set, and every session and token of yours is ended: lanista login.",
    );
}
