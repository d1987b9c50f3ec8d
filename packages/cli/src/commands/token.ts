import { create } from "@bufbuild/protobuf";
import { Scope } from "@lanista/api/gen/lanista/v1/access_pb";
import { CreateTokenResponseSchema, ListTokensResponseSchema } from "@lanista/api/gen/lanista/v1/tokens_pb";
import { Command, Option } from "commander";
import type { Context } from "../context.ts";
import { integer, repeated } from "../option-values.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { pages, remote } from "../remote/remote.ts";
import { agoText, timeText } from "../remote/words.ts";
import { writeJson, writeLine } from "../terminal.ts";

const SCOPES: Readonly<Record<string, Scope>> = {
  participant: Scope.PARTICIPANT,
  organiser: Scope.ORGANISER,
  administrator: Scope.ADMINISTRATOR,
  worker: Scope.WORKER,
  executor: Scope.EXECUTOR,
};

interface CreateOptions extends RemoteOptions {
  readonly scope: string;
  readonly space?: string;
  readonly queue?: readonly string[];
  readonly days?: number;
}

export function tokenCommand(context: Context): Command {
  const token = new Command("token").description("tokens: make one for a script, a worker or a backend; list, revoke");

  addRemoteOptions(token.command("create"))
    .description("make a token; its secret is shown this once")
    .argument("<name>", "what it is for")
    .addOption(new Option("--scope <scope>", "what it may do").choices(Object.keys(SCOPES)).default("participant"))
    .option("--space <space>", "good for this space alone")
    .option("--queue <queue>", "with --scope worker: a queue it may take jobs from; may be repeated", repeated)
    .option("--days <n>", "how long it is good (default: 90)", integer(1, 730))
    .addHelpText("after", "\nExample:\n  $ lanista token create lab-3 --scope worker --queue gpu")
    .action(async (name: string, options: CreateOptions) => {
      const answer = await (await remote(context, options)).tokens.createToken({
        name,
        scope: SCOPES[options.scope] ?? Scope.PARTICIPANT,
        space: options.space ?? "",
        queues: [...(options.queue ?? [])],
        validSeconds: BigInt((options.days ?? 0) * 86_400),
      });
      print(context, options, CreateTokenResponseSchema, answer, () => answer.secret);
    });

  addRemoteOptions(token.command("list"))
    .description("list your tokens")
    .option("--all", "everybody's, for administrators")
    .addHelpText("after", "\nExample:\n  $ lanista token list")
    .action(async (options: RemoteOptions & { all?: true }) => {
      const client = await remote(context, options);
      const all = create(ListTokensResponseSchema);
      for await (const answer of pages((page) => client.tokens.listTokens({ page, all: options.all === true })))
        all.tokens.push(...answer.tokens);
      print(context, options, ListTokensResponseSchema, all, () =>
        rows(
          ["name", "begins", "scope", "until", "used", "id"],
          all.tokens.map((each) => [
            each.name,
            each.prefix,
            Scope[each.scope].toLowerCase(),
            each.revokedAt === undefined ? timeText(each.expiresAt) : "revoked",
            agoText(each.lastUsedAt),
            each.id,
          ]),
          "no tokens",
        ),
      );
    });

  addRemoteOptions(token.command("revoke"))
    .description("make a token worthless, at once and everywhere")
    .argument("<id>", "the token's id")
    .addHelpText("after", "\nExample:\n  $ lanista token revoke 0195…")
    .action(async (tokenId: string, options: RemoteOptions) => {
      await (await remote(context, options)).tokens.revokeToken({ tokenId });
      if (options.json) writeJson(context.terminal, { token: tokenId, revoked: true });
      else writeLine(context.terminal, "Revoked.");
    });

  return token;
}
