/** Who is in a space, and who was asked in. */
import { create } from "@bufbuild/protobuf";
import { SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import {
  CreateInvitationResponseSchema,
  ListInvitationsResponseSchema,
  ListMembersResponseSchema,
  type Member,
  MemberSchema,
} from "@lanista/api/gen/lanista/v1/spaces_pb";
import { Argument, type Command, Option } from "commander";
import type { Context } from "../context.ts";
import { integer } from "../option-values.ts";
import type { RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { pages, remote } from "../remote/remote.ts";
import { timeText } from "../remote/words.ts";
import { writeJson, writeLine } from "../terminal.ts";

/** A course's are called by its own words, too. */
const ROLES: Readonly<Record<string, SpaceRole>> = {
  participant: SpaceRole.PARTICIPANT,
  student: SpaceRole.PARTICIPANT,
  organiser: SpaceRole.ORGANISER,
  lecturer: SpaceRole.ORGANISER,
  guest: SpaceRole.GUEST,
  assistant: SpaceRole.ASSISTANT,
  administrator: SpaceRole.ADMINISTRATOR,
};

export function roleText(role: SpaceRole): string {
  return SpaceRole[role].toLowerCase();
}

interface InviteOptions extends RemoteOptions {
  readonly role: string;
  readonly uses: number;
  readonly days: number;
  readonly note?: string;
}

/** `sub` makes a command of `lanista space`. */
export function spacePeople(
  context: Context,
  sub: (name: string, description: string, example: string) => Command,
): void {
  sub("invite", "make a link that lets people in; it is shown this once", "invite winter --uses 300 --days 14")
    .argument("<space>", "its short name or id")
    .addOption(new Option("--role <role>", "what they become").choices(Object.keys(ROLES)).default("participant"))
    .option("--uses <n>", "how many people", integer(1, 100_000), 1)
    .option("--days <n>", "how long it is good", integer(1, 365), 7)
    .option("--note <text>", "for your own list")
    .action(async (space: string, options: InviteOptions) => {
      const answer = await (await remote(context, options)).spaces.createInvitation({
        space,
        role: ROLES[options.role] ?? SpaceRole.PARTICIPANT,
        uses: options.uses,
        validSeconds: BigInt(options.days * 86_400),
        note: options.note ?? "",
      });
      print(context, options, CreateInvitationResponseSchema, answer, () =>
        [answer.url, `lanista space join ${answer.code}`].join("\n"),
      );
    });

  sub("invitations", "list the invitations that can still be used", "invitations winter")
    .argument("<space>", "its short name or id")
    .action(async (space: string, options: RemoteOptions) => {
      const client = await remote(context, options);
      const all = create(ListInvitationsResponseSchema);
      for await (const answer of pages((page) => client.spaces.listInvitations({ space, page })))
        all.invitations.push(...answer.invitations);
      print(context, options, ListInvitationsResponseSchema, all, () =>
        rows(
          ["role", "uses left>", "until", "for", "note", "id"],
          all.invitations.map((each) => [
            roleText(each.role),
            String(each.usesLeft),
            timeText(each.expiresAt),
            each.email,
            each.note,
            each.id,
          ]),
          "no invitations",
        ),
      );
    });

  sub("revoke", "make an invitation worthless; who came in by it stays", "revoke 0195…")
    .argument("<invitation>", "its id, see space invitations")
    .action(async (invitationId: string, options: RemoteOptions) => {
      await (await remote(context, options)).spaces.revokeInvitation({ invitationId });
      if (options.json) writeJson(context.terminal, { invitation: invitationId, revoked: true });
      else writeLine(context.terminal, "Revoked.");
    });

  sub("members", "list a space's members", "members winter")
    .argument("<space>", "its short name or id")
    .action(async (space: string, options: RemoteOptions) => {
      const client = await remote(context, options);
      const all = create(ListMembersResponseSchema);
      for await (const answer of pages((page) => client.spaces.listMembers({ space, page })))
        all.members.push(...answer.members);
      print(context, options, ListMembersResponseSchema, all, () => memberTable(all.members));
    });

  sub("role", "give a member another role", "role winter 8fX2… organiser")
    .argument("<space>", "its short name or id")
    .argument("<member>", "the person's id, see space members")
    .addArgument(new Argument("<role>", "the role").choices(Object.keys(ROLES)))
    .action(async (space: string, userId: string, role: string, options: RemoteOptions) => {
      const client = await remote(context, options);
      const { member } = await client.spaces.setMember({ space, userId, role: ROLES[role]! });
      print(context, options, MemberSchema, member!, () => memberTable([member!]));
    });

  sub("remove", "take a member out of a space", "remove winter 8fX2…")
    .argument("<space>", "its short name or id")
    .argument("<member>", "the person's id, see space members")
    .action(async (space: string, userId: string, options: RemoteOptions) => {
      await (await remote(context, options)).spaces.removeMember({ space, userId });
      if (options.json) writeJson(context.terminal, { space, member: userId, removed: true });
      else writeLine(context.terminal, "Removed.");
    });
}

function memberTable(members: readonly Member[]): string {
  return rows(
    ["name", "address", "role", "group", "since", "id"],
    members.map((each) => [
      each.name,
      each.email,
      roleText(each.role),
      each.group,
      timeText(each.joinedAt),
      each.userId,
    ]),
    "nobody",
  );
}
