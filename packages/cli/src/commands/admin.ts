import {
  CreateResetTokenResponseSchema,
  InitAdministratorResponseSchema,
  ListServerAuditResponseSchema,
  ListUsersResponseSchema,
  UpdateUserResponseSchema,
  type User,
} from "@lanista/api/gen/lanista/v1/tokens_pb";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { yesOrNo } from "../option-values.ts";
import { ask, lineOfStdin } from "../remote/ask.ts";
import { keep } from "../remote/credentials.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { pages, remote, serverUrl } from "../remote/remote.ts";
import { timeText } from "../remote/words.ts";
import { note } from "../terminal.ts";

interface InitOptions extends RemoteOptions {
  readonly secret?: string;
  readonly name?: string;
  readonly email?: string;
  readonly passwordStdin?: true;
}

interface UserOptions extends RemoteOptions {
  readonly administrator?: boolean;
  readonly organiser?: boolean;
  readonly locked?: boolean;
  readonly confirmed?: boolean;
}

export function adminCommand(context: Context): Command {
  const admin = new Command("admin").description("what administrators do");

  addRemoteOptions(admin.command("init"))
    .description("make the first administrator, with the one-time token that the server printed")
    .option("--secret <token>", "the one-time token (default: asked)")
    .option("--name <name>", "what others call you (default: asked)")
    .option("--email <address>", "your address (default: asked)")
    .option("--password-stdin", "read the password from standard input instead of asking")
    .addHelpText("after", "\nExample:\n  $ lanista admin init --secret init_… --name Ada --email ada@example.org")
    .action((options: InitOptions) => init(context, options));

  addRemoteOptions(admin.command("users"))
    .description("list the accounts")
    .argument("[search]", "part of a name or address")
    .addHelpText("after", "\nExample:\n  $ lanista admin users ada")
    .action(async (search: string | undefined, options: RemoteOptions) => {
      const client = await remote(context, options);
      const users: User[] = [];
      for await (const answer of pages((page) => client.tokens.listUsers({ page, search: search ?? "" })))
        users.push(...answer.users);
      const all = { $typeName: "lanista.v1.ListUsersResponse" as const, users, nextPageToken: "" };
      print(context, options, ListUsersResponseSchema, all, () =>
        rows(["id", "name", "address", "may", "since"], users.map(userCells), "There are no accounts."),
      );
    });

  addRemoteOptions(admin.command("user"))
    .description("change what somebody may do")
    .argument("<id>", "the account's id, as in lanista admin users")
    .option("--administrator <yes|no>", "administers the server", yesOrNo)
    .option("--organiser <yes|no>", "may found spaces", yesOrNo)
    .option("--locked <yes|no>", "locked out: sessions and tokens are refused", yesOrNo)
    .option("--confirmed <yes|no>", "the address is his: courses that wait for it let him in", yesOrNo)
    .addHelpText("after", "\nExample:\n  $ lanista admin user 8fX2… --organiser yes")
    .action(async (userId: string, options: UserOptions) => {
      const { administrator, organiser, locked, confirmed } = options;
      const answer = await (await remote(context, options)).tokens.updateUser({
        userId,
        ...(administrator === undefined ? {} : { administrator }),
        ...(organiser === undefined ? {} : { organiser }),
        ...(locked === undefined ? {} : { locked }),
        ...(confirmed === undefined ? {} : { emailConfirmed: confirmed }),
      });
      const { user } = answer;
      print(context, options, UpdateUserResponseSchema, answer, () =>
        user === undefined ? "" : rows(["id", "name", "address", "may", "since"], [userCells(user)], ""),
      );
    });

  addRemoteOptions(admin.command("reset"))
    .description("make a one-time token with which somebody sets a new password")
    .argument("<user>", "an id or an address")
    .addHelpText("after", "\nExample:\n  $ lanista admin reset ada@example.org")
    .action(async (user: string, options: RemoteOptions) => {
      const answer = await (await remote(context, options)).tokens.createResetToken({ user });
      const server = await serverUrl(context, options);
      print(
        context,
        options,
        CreateResetTokenResponseSchema,
        answer,
        () =>
          `Good once, until ${timeText(answer.expiresAt)}:\n  lanista password --server ${server} --secret ${answer.secret}`,
      );
    });

  addRemoteOptions(admin.command("audit"))
    .description("print who did what lately, on the whole server")
    .addHelpText("after", "\nExample:\n  $ lanista admin audit")
    .action(async (options: RemoteOptions) => {
      const answer = await (await remote(context, options)).tokens.listServerAudit({ page: { size: 100 } });
      print(context, options, ListServerAuditResponseSchema, answer, () =>
        rows(
          ["when", "who", "what", "on"],
          answer.entries.map(({ at, actor, action, subject }) => [timeText(at), actor, action, subject]),
          "Nothing yet.",
        ),
      );
    });

  return admin;
}

function userCells(user: User): string[] {
  const may = [
    ...(user.administrator ? ["administer"] : []),
    ...(user.organiser ? ["found spaces"] : []),
    ...(user.locked ? ["locked"] : []),
  ];
  return [user.id, user.name, user.email, may.join(", ") || "–", timeText(user.createdAt)];
}

async function init(context: Context, options: InitOptions): Promise<void> {
  const { terminal } = context;
  const server = await serverUrl(context, options);
  const secret = options.secret ?? (await ask(context, "The one-time token: ", "--secret", true));
  const name = options.name ?? (await ask(context, "Your name: ", "--name"));
  const email = options.email ?? (await ask(context, "Your address: ", "--email"));
  const password = options.passwordStdin
    ? await lineOfStdin(terminal)
    : await ask(context, "A password (10 characters at least): ", "--password-stdin", true);
  const client = await remote(context, { ...options, server }, "anonymous");
  const answer = await client.tokens.initAdministrator({ secret, name, email, password });
  // The token as its own id: revoking the login looks it up by what the server says.
  const me = await (await remote(context, { server, token: answer.token })).tokens.whoAmI({});
  const file = await keep(terminal, { server, email, token: answer.token, tokenId: me.tokenId });
  print(context, options, InitAdministratorResponseSchema, answer, () => `You administer ${server} now.`);
  note(terminal, `A token of yours is in ${file}.`);
}
