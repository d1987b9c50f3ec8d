/** What a course's staff tell its members. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { AnnouncementSchema } from "@lanista/api/gen/lanista/v1/courses_pb";
import { type Selectable, sql } from "kysely";
import { notFound } from "../auth/access.ts";
import type { Db, Tx } from "../db/database.ts";
import type { AnnouncementsTable } from "../db/types.ts";
import type { PageWanted } from "../rpc/paging.ts";

export type AnnouncementRow = Selectable<AnnouncementsTable> & { readonly author_name: string };

function select(db: Db | Tx) {
  return db
    .selectFrom("announcements as a")
    .innerJoin("user as u", "u.id", "a.author_id")
    .selectAll("a")
    .select("u.name as author_name");
}

export async function findAnnouncement(db: Db | Tx, id: string): Promise<AnnouncementRow> {
  const row = await select(db).where("a.id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound("the announcement");
  return row;
}

/** Pinned ones first, then the newest. One row more than the page has. */
export async function listAnnouncements(
  db: Db,
  spaceId: string,
  { size, after }: PageWanted,
): Promise<AnnouncementRow[]> {
  let query = select(db).where("a.space_id", "=", spaceId);
  if (after !== null) {
    const [pinned, id] = after;
    query = query.where(sql<boolean>`(a.pinned, a.id) < (${pinned === 1}, ${String(id)}::uuid)`);
  }
  return await query
    .orderBy("a.pinned", "desc")
    .orderBy("a.id", "desc")
    .limit(size + 1)
    .execute();
}

export function announcementMessage(row: AnnouncementRow): MessageInitShape<typeof AnnouncementSchema> {
  return {
    id: row.id,
    spaceId: row.space_id,
    title: row.title,
    body: row.body,
    pinned: row.pinned,
    authorName: row.author_name,
    createdAt: timestampFromDate(row.created_at),
  };
}
