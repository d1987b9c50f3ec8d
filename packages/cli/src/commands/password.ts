import { Command } from "commander";
import { z } from "zod";
import type { Context } from "../context.ts";
import { ask, lineOfStdin } from "../remote/ask.ts";
import { serverUrl } from "../remote/remote.ts";
import { writeLine } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface PasswordOptions {
  readonly server?: string;
  readonly secret?: string;
  readonly passwordStdin?: true;
}

export function passwordCommand(context: Context): Command {
  return new Command("password")
    .description("set a new password, with the one-time token of a mail or an administrator")
    .option("--server <url>", "the server (default: LANISTA_SERVER, the login's, or http://localhost:8080)")
    .option("--secret <token>", "the one-time token (default: asked)")
    .option("--password-stdin", "read the password from standard input instead of asking")
    .addHelpText("after", "\nExample:\n  $ lanista password --secret …")
    .action(async (options: PasswordOptions) => {
      const server = await serverUrl(context, options);
      const token = options.secret ?? (await ask(context, "The one-time token: ", "--secret", true));
      const newPassword = options.passwordStdin
        ? await lineOfStdin()
        : await ask(context, "The new password (10 characters at least): ", "--password-stdin", true);
      await setPassword(server, token, newPassword);
      writeLine(
        context.terminal,
        "The new password is set, and every session and token of yours is ended: lanista login.",
      );
    });
}

const refusal = z.object({ message: z.string() });

/** Throws UsageError with what the server said. */
async function setPassword(server: string, token: string, newPassword: string): Promise<void> {
  const answer = await fetch(`${server}/api/auth/reset-password`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token, newPassword }),
    signal: AbortSignal.timeout(30_000),
  }).catch((error: unknown) => {
    throw new UsageError(`${server} does not answer: is it the right address, and is the server up?`, { cause: error });
  });
  if (answer.ok) return;
  const said = refusal.safeParse(await answer.json().catch(() => null));
  throw new UsageError(
    `${server} refused the new password: ${said.success ? said.data.message : `it answered with status ${answer.status}`}`,
  );
}
