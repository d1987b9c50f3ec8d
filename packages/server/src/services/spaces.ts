/** SpaceService: spaces, their members, invitations and audit log. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  AcceptInvitationRequestSchema,
  AcceptInvitationResponseSchema,
  CreateInvitationRequestSchema,
  CreateInvitationResponseSchema,
  CreateSpaceRequestSchema,
  CreateSpaceResponseSchema,
  RemoveMemberRequestSchema,
  RemoveMemberResponseSchema,
  RevokeInvitationRequestSchema,
  RevokeInvitationResponseSchema,
  SetMemberRequestSchema,
  SetMemberResponseSchema,
  type SpaceService,
  UpdateSpaceRequestSchema,
  UpdateSpaceResponseSchema,
} from "@lanista/api/gen/lanista/v1/spaces_pb";
import { listAudit } from "../accounts/audit.ts";
import {
  createInvitation,
  invitationMessage,
  joinSpace,
  listInvitations,
  returnUse,
  revokeInvitation,
  takeUse,
} from "../accounts/invitations.ts";
import { checkGiving, listMembers, memberMessage, removeMember, roleOf, setMember } from "../accounts/members.ts";
import { createSpace, listSpaces, spaceMessage, updateSpace } from "../accounts/spaces.ts";
import type { App } from "../app.ts";
import { notFound, requireSpace, requireUser } from "../auth/access.ts";
import { callerOf } from "../auth/caller.ts";
import { ACCOUNTS_CHANGED } from "../auth/callers.ts";
import { INVITATION_PATH } from "../http/invitation-route.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";
import type { ServiceParts } from "./parts.ts";

export function spaceService(app: App, { callers, publicUrl }: ServiceParts): ServiceImpl<typeof SpaceService> {
  const { db } = app;
  return {
    async createSpace(request, context) {
      const schemas = { input: CreateSpaceRequestSchema, output: CreateSpaceResponseSchema };
      const answer = await mutate(app, context, schemas, request, async (tx, note) => {
        const caller = callerOf(context);
        const user = requireUser(caller);
        if (caller.spaceId !== null || !(user.organiser || user.administrator))
          throw new LanistaError("forbidden", "you may not found spaces", {
            hint: "An administrator can let you: lanista admin user ID --organiser yes.",
          });
        const row = await createSpace(tx, request);
        const role = row.kind === "course" ? "administrator" : "organiser";
        note.subject = row.id;
        note.spaceId = row.id;
        await joinSpace(app, tx, { spaceId: row.id, userId: user.id, role });
        return { space: spaceMessage(row, role) };
      });
      callers.forget();
      return answer;
    },

    async getSpace(request, context) {
      const { space, role } = await requireSpace(db, callerOf(context), request.space, "guest");
      return { space: spaceMessage(space, role) };
    },

    async listSpaces(request, context) {
      const wanted = pageWanted(request.page, 1);
      const found = await listSpaces(db, callerOf(context), wanted);
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.slug]);
      return { spaces: rows.map((row) => spaceMessage(row, row.role)), nextPageToken };
    },

    updateSpace: (request, context) =>
      mutate(
        app,
        context,
        { input: UpdateSpaceRequestSchema, output: UpdateSpaceResponseSchema },
        request,
        async (tx, note) => {
          const { space, role } = await requireSpace(tx, callerOf(context), request.space, "organiser");
          note.subject = space.id;
          note.spaceId = space.id;
          const row = await updateSpace(tx, space, request);
          await app.events.publish(tx, "queues");
          return { space: spaceMessage(row, role) };
        },
      ),

    async listMembers(request, context) {
      const { space } = await requireSpace(db, callerOf(context), request.space, "assistant");
      const wanted = pageWanted(request.page, 1);
      const found = await listMembers(db, space.id, wanted);
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.user_id]);
      return { members: rows.map(memberMessage), nextPageToken };
    },

    async setMember(request, context) {
      const schemas = { input: SetMemberRequestSchema, output: SetMemberResponseSchema };
      const answer = await mutate(app, context, schemas, request, async (tx, note) => {
        const { space, role } = await requireSpace(tx, callerOf(context), request.space, "organiser");
        note.subject = request.userId;
        note.spaceId = space.id;
        const row = await setMember(tx, space, role, request.userId, roleOf(request.role));
        await app.events.publish(tx, ACCOUNTS_CHANGED);
        return { member: memberMessage(row) };
      });
      callers.forget();
      return answer;
    },

    async removeMember(request, context) {
      const schemas = { input: RemoveMemberRequestSchema, output: RemoveMemberResponseSchema };
      const answer = await mutate(app, context, schemas, request, async (tx, note) => {
        const { space, role } = await requireSpace(tx, callerOf(context), request.space, "organiser");
        note.subject = request.userId;
        note.spaceId = space.id;
        await removeMember(tx, space, role, request.userId);
        await app.events.publish(tx, ACCOUNTS_CHANGED);
        return {};
      });
      callers.forget();
      return answer;
    },

    createInvitation: (request, context) =>
      mutate(
        app,
        context,
        { input: CreateInvitationRequestSchema, output: CreateInvitationResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { space, role } = await requireSpace(tx, caller, request.space, "organiser");
          checkGiving(space, role, roleOf(request.role));
          const { row, code } = await createInvitation(tx, space.id, requireUser(caller).id, {
            role: roleOf(request.role),
            seconds: Number(request.validSeconds),
            uses: request.uses,
            note: request.note,
          });
          note.subject = row.id;
          note.spaceId = space.id;
          return { invitation: invitationMessage(row), code, url: `${publicUrl()}${INVITATION_PATH}#${code}` };
        },
      ),

    async listInvitations(request, context) {
      const { space } = await requireSpace(db, callerOf(context), request.space, "organiser");
      const wanted = pageWanted(request.page, 1);
      const found = await listInvitations(db, space.id, wanted);
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.id]);
      return { invitations: rows.map(invitationMessage), nextPageToken };
    },

    revokeInvitation: (request, context) =>
      mutate(
        app,
        context,
        { input: RevokeInvitationRequestSchema, output: RevokeInvitationResponseSchema },
        request,
        async (tx, note) => {
          const row = await tx
            .selectFrom("invitations")
            .select(["id", "space_id"])
            .where("id", "=", request.invitationId)
            .executeTakeFirst();
          if (row === undefined) throw notFound("the invitation");
          await requireSpace(tx, callerOf(context), row.space_id, "organiser").catch((error: unknown) => {
            throw error instanceof LanistaError && error.code === "not_found" ? notFound("the invitation") : error;
          });
          note.subject = row.id;
          note.spaceId = row.space_id;
          await revokeInvitation(tx, row.id);
          return {};
        },
      ),

    async acceptInvitation(request, context) {
      const schemas = { input: AcceptInvitationRequestSchema, output: AcceptInvitationResponseSchema };
      const answer = await mutate(app, context, schemas, request, async (tx, note) => {
        const caller = callerOf(context);
        const user = requireUser(caller);
        const invitation = await takeUse(tx, request.code);
        const { spaceId } = invitation;
        if (caller.spaceId !== null && caller.spaceId !== spaceId)
          throw new LanistaError("forbidden", "this token is for another space");
        note.subject = spaceId;
        note.spaceId = spaceId;
        // Who gains nothing by it takes no place from others.
        if (!(await invitation.join(app, tx, user.id))) await returnUse(tx, invitation.id);
        const row = await tx.selectFrom("spaces").selectAll().where("id", "=", spaceId).executeTakeFirstOrThrow();
        const member = await tx
          .selectFrom("members")
          .select("role")
          .where("space_id", "=", spaceId)
          .where("user_id", "=", user.id)
          .executeTakeFirstOrThrow();
        return { space: spaceMessage(row, member.role) };
      });
      callers.forget();
      return answer;
    },

    async listAudit(request, context) {
      const { space } = await requireSpace(db, callerOf(context), request.space, "organiser");
      const wanted = pageWanted(request.page, 1);
      const { rows, nextPageToken } = pageOf(await listAudit(db, space.id, wanted), wanted, (row) => [row.id]);
      return {
        entries: rows.map((row) => ({
          id: row.id,
          at: timestampFromDate(row.at),
          actor: row.actor,
          action: row.action,
          subject: row.subject,
          detailJson: JSON.stringify(row.detail),
        })),
        nextPageToken,
      };
    },
  };
}
