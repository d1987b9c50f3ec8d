/** A course's announcements. */
import { create } from "@bufbuild/protobuf";
import {
  type Announcement,
  AnnouncementSchema,
  ListAnnouncementsResponseSchema,
} from "@lanista/api/gen/lanista/v1/courses_pb";
import type { Context } from "../../context.ts";
import { integer } from "../../option-values.ts";
import type { RemoteOptions } from "../../remote/options.ts";
import { print } from "../../remote/print.ts";
import { firstOf, remote } from "../../remote/remote.ts";
import { timeText } from "../../remote/words.ts";
import { writeJson, writeLine } from "../../terminal.ts";
import type { Sub } from "./sub.ts";

interface AnnounceOptions extends RemoteOptions {
  readonly body?: string;
  readonly pin?: true;
}

export function courseNews(context: Context, sub: Sub): void {
  sub("announce", "tell a course's members something", 'announce cs1 "No class on Friday" --pin')
    .argument("<course>", "its short name or id")
    .argument("<title>", "what it is about")
    .option("--body <text>", "what there is to say")
    .option("--pin", "keep it above the others")
    .action(async (space: string, title: string, { body = "", pin, ...options }: AnnounceOptions) => {
      const client = await remote(context, options);
      const posted = { space, title, body, pinned: pin === true };
      const { announcement } = await client.courses.postAnnouncement(posted);
      print(context, options, AnnouncementSchema, announcement!, () => text(announcement!));
    });

  sub("announcements", "read a course's announcements", "announcements cs1")
    .argument("<course>", "its short name or id")
    .option("--limit <n>", "so many", integer(1, 100_000), 20)
    .action(async (space: string, options: RemoteOptions & { limit: number }) => {
      const client = await remote(context, options);
      const { items: announcements, nextPageToken } = await firstOf(
        options.limit,
        (page) => client.courses.listAnnouncements({ space, page }),
        (answer) => answer.announcements,
      );
      const answer = create(ListAnnouncementsResponseSchema, { announcements, nextPageToken });
      print(context, options, ListAnnouncementsResponseSchema, answer, () =>
        announcements.length === 0 ? "nothing yet" : announcements.map(text).join("\n\n"),
      );
    });

  sub("retract", "take an announcement back", "retract 0195…")
    .argument("<announcement>", "its id, see course announcements")
    .action(async (announcementId: string, options: RemoteOptions) => {
      await (await remote(context, options)).courses.deleteAnnouncement({ announcementId });
      if (options.json) writeJson(context.terminal, { announcement: announcementId, retracted: true });
      else writeLine(context.terminal, "Retracted.");
    });
}

function text({ title, body, pinned, authorName, createdAt, id }: Announcement): string {
  const head = `${pinned ? "* " : ""}${title}`;
  return [head, `${authorName}, ${timeText(createdAt)}, ${id}`, ...(body === "" ? [] : [body])].join("\n");
}
