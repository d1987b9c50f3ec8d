/** CourseService: a course's roster, who may join it, and its announcements. */
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  type CourseService,
  DeleteAnnouncementRequestSchema,
  DeleteAnnouncementResponseSchema,
  ImportRosterRequestSchema,
  ImportRosterResponseSchema,
  JoinCourseRequestSchema,
  JoinCourseResponseSchema,
  PostAnnouncementRequestSchema,
  PostAnnouncementResponseSchema,
  UpdateAnnouncementRequestSchema,
  UpdateAnnouncementResponseSchema,
} from "@lanista/api/gen/lanista/v1/courses_pb";
import { validate as isUuid, v7 as uuid } from "uuid";
import { roleNumber } from "../accounts/members.ts";
import { spaceMessage } from "../accounts/spaces.ts";
import type { App } from "../app.ts";
import { notFound, requireRole, requireUser, roleIn } from "../auth/access.ts";
import { type Caller, callerOf } from "../auth/caller.ts";
import {
  type AnnouncementRow,
  announcementMessage,
  findAnnouncement,
  listAnnouncements,
} from "../courses/announcements.ts";
import { requireCourse } from "../courses/course.ts";
import { joinCourse } from "../courses/join.ts";
import { importRoster } from "../courses/roster.ts";
import { parseRoster } from "../courses/roster-csv.ts";
import type { Tx } from "../db/database.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";
import type { ServiceParts } from "./parts.ts";

export function courseService(app: App, { callers }: ServiceParts): ServiceImpl<typeof CourseService> {
  const { db } = app;

  const announcement = async (tx: Tx, caller: Caller, id: string): Promise<AnnouncementRow> => {
    const row = await findAnnouncement(tx, id);
    await requireRole(tx, caller, row.space_id, "assistant", "the announcement");
    return row;
  };

  return {
    async importRoster(request, context) {
      const schemas = { input: ImportRosterRequestSchema, output: ImportRosterResponseSchema };
      const answer = await mutate(app, context, schemas, request, async (tx, note) => {
        const caller = callerOf(context);
        const { space, role } = await requireCourse(tx, caller, request.space, "organiser");
        note.subject = space.id;
        note.spaceId = space.id;
        const by = { id: requireUser(caller).id, role };
        const rows = await importRoster(app, tx, space, by, parseRoster(request.csv), request.dryRun);
        return { rows: rows.map((row) => ({ ...row, role: roleNumber(row.role) })), dryRun: request.dryRun };
      });
      callers.forget();
      return answer;
    },

    async joinCourse(request, context) {
      const schemas = { input: JoinCourseRequestSchema, output: JoinCourseResponseSchema };
      const answer = await mutate(app, context, schemas, request, async (tx, note) => {
        const caller = callerOf(context);
        const space = await tx
          .selectFrom("spaces")
          .selectAll()
          .where(isUuid(request.space) ? "id" : "slug", "=", request.space)
          .executeTakeFirst();
        if (space === undefined || space.kind !== "course") throw notFound("the space");
        if (caller.spaceId !== null && caller.spaceId !== space.id)
          throw new LanistaError("forbidden", "this token is for another space");
        note.subject = space.id;
        note.spaceId = space.id;
        await joinCourse(app, tx, space, caller);
        return { space: spaceMessage(space, (await roleIn(tx, caller, space.id)) ?? "participant") };
      });
      callers.forget();
      return answer;
    },

    postAnnouncement: (request, context) =>
      mutate(
        app,
        context,
        { input: PostAnnouncementRequestSchema, output: PostAnnouncementResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { space } = await requireCourse(tx, caller, request.space, "assistant");
          const id = uuid();
          note.subject = id;
          note.spaceId = space.id;
          const { title, body, pinned } = request;
          await tx
            .insertInto("announcements")
            .values({ id, space_id: space.id, title, body, pinned, author_id: requireUser(caller).id })
            .execute();
          return { announcement: announcementMessage(await findAnnouncement(tx, id)) };
        },
      ),

    async listAnnouncements(request, context) {
      const { space } = await requireCourse(db, callerOf(context), request.space, "guest");
      const wanted = pageWanted(request.page, 2);
      const found = await listAnnouncements(db, space.id, wanted);
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.pinned ? 1 : 0, row.id]);
      return { announcements: rows.map(announcementMessage), nextPageToken };
    },

    updateAnnouncement: (request, context) =>
      mutate(
        app,
        context,
        { input: UpdateAnnouncementRequestSchema, output: UpdateAnnouncementResponseSchema },
        request,
        async (tx, note) => {
          const row = await announcement(tx, callerOf(context), request.announcementId);
          note.subject = row.id;
          note.spaceId = row.space_id;
          const { title = row.title, body = row.body, pinned = row.pinned } = request;
          await tx.updateTable("announcements").set({ title, body, pinned }).where("id", "=", row.id).execute();
          return { announcement: announcementMessage(await findAnnouncement(tx, row.id)) };
        },
      ),

    deleteAnnouncement: (request, context) =>
      mutate(
        app,
        context,
        { input: DeleteAnnouncementRequestSchema, output: DeleteAnnouncementResponseSchema },
        request,
        async (tx, note) => {
          const row = await announcement(tx, callerOf(context), request.announcementId);
          note.subject = row.id;
          note.spaceId = row.space_id;
          await tx.deleteFrom("announcements").where("id", "=", row.id).execute();
          return {};
        },
      ),
  };
}
