import { create } from "@bufbuild/protobuf";
import {
  ListAuditResponseSchema,
  ListSpacesResponseSchema,
  type Space,
  SpaceSchema,
} from "@lanista/api/gen/lanista/v1/spaces_pb";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { integer } from "../option-values.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { pages, remote } from "../remote/remote.ts";
import { timeText } from "../remote/words.ts";
import { roleText, spacePeople } from "./space-people.ts";

interface SetOptions extends RemoteOptions {
  readonly maxRunning?: number;
  readonly maxRunningEach?: number;
  readonly dailySubmissions?: number;
  readonly quota?: number;
}

export function spaceCommand(context: Context): Command {
  const space = new Command("space").description("spaces: found one, invite people, see members and what was done");
  const sub = (name: string, description: string, example: string): Command =>
    addRemoteOptions(space.command(name))
      .description(description)
      .addHelpText("after", `\nExample:\n  $ lanista space ${example}`);

  sub("create", "found a space; you are its first organiser", 'create winter --title "Winter cup"')
    .argument("<slug>", "its short name")
    .option("--title <title>", "what people read (default: the short name)")
    .action(async (slug: string, options: RemoteOptions & { title?: string }) => {
      const answer = await (await remote(context, options)).spaces.createSpace({ slug, title: options.title ?? slug });
      print(context, options, SpaceSchema, answer.space!, () => spaceLine(answer.space!));
    });

  sub("list", "list the spaces you are in", "list").action(async (options: RemoteOptions) => {
    const client = await remote(context, options);
    const spaces: Space[] = [];
    for await (const answer of pages((page) => client.spaces.listSpaces({ page }))) spaces.push(...answer.spaces);
    print(context, options, ListSpacesResponseSchema, create(ListSpacesResponseSchema, { spaces }), () =>
      rows(
        ["space", "title", "your role", "id"],
        spaces.map((each) => [each.slug, each.title, roleText(each.role), each.id]),
        "no spaces",
      ),
    );
  });

  sub("set", "bound what a space and its participants may use", "set winter --daily-submissions 20")
    .argument("<space>", "its short name or id")
    .option("--max-running <n>", "jobs of the space at once; 0: no bound", integer(0, 100_000))
    .option("--max-running-each <n>", "jobs of one participant at once; 0: no bound", integer(0, 100_000))
    .option("--daily-submissions <n>", "submissions of one participant in a day; 0: no bound", integer(0, 100_000))
    .option("--quota <bytes>", "bytes of bundles of one participant; 0: the server's", integer(0, 2 ** 50))
    .action(async (which: string, options: SetOptions) => {
      const { maxRunning, maxRunningEach, dailySubmissions, quota } = options;
      const answer = await (await remote(context, options)).spaces.updateSpace({
        space: which,
        ...(maxRunning === undefined ? {} : { maxRunning }),
        ...(maxRunningEach === undefined ? {} : { maxRunningPerParticipant: maxRunningEach }),
        ...(dailySubmissions === undefined ? {} : { dailySubmissions }),
        ...(quota === undefined ? {} : { quotaBytes: BigInt(quota) }),
      });
      print(context, options, SpaceSchema, answer.space!, () => spaceLine(answer.space!));
    });

  sub("join", "join a space by an invitation's code", "join AbC123…")
    .argument("<code>", "the code")
    .action(async (code: string, options: RemoteOptions) => {
      const answer = await (await remote(context, options)).spaces.acceptInvitation({ code });
      print(context, options, SpaceSchema, answer.space!, () => `You are in. ${spaceLine(answer.space!)}`);
    });

  spacePeople(context, sub);

  sub("audit", "who did what in a space, newest first", "audit winter")
    .argument("<space>", "its short name or id")
    .option("--last <n>", "so many entries", integer(1, 200), 50)
    .action(async (which: string, options: RemoteOptions & { last: number }) => {
      const answer = await (await remote(context, options)).spaces.listAudit({
        space: which,
        page: { size: options.last },
      });
      print(context, options, ListAuditResponseSchema, answer, () =>
        rows(
          ["at", "who", "what", "on"],
          answer.entries.map((each) => [
            timeText(each.at),
            each.actor,
            each.action.replace("lanista.v1.", ""),
            each.subject,
          ]),
          "nothing yet",
        ),
      );
    });

  return space;
}

function spaceLine(space: Space): string {
  return `${space.title} (${space.slug}, ${space.id})`;
}
