/** TokenService: tokens, and what administrators do with accounts. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  CreateResetTokenRequestSchema,
  CreateResetTokenResponseSchema,
  CreateTokenRequestSchema,
  CreateTokenResponseSchema,
  RevokeTokenRequestSchema,
  RevokeTokenResponseSchema,
  type TokenService,
  UpdateUserRequestSchema,
  UpdateUserResponseSchema,
} from "@lanista/api/gen/lanista/v1/tokens_pb";
import { listAudit } from "../accounts/audit.ts";
import { claimInvitations } from "../accounts/claim-invitations.ts";
import { initAdministrator } from "../accounts/first-administrator.ts";
import { makeToken, ownTokens, revokeToken, tokenFor, tokenMessage } from "../accounts/tokens.ts";
import { findUser, listUsers, updateUser, userMessage } from "../accounts/users.ts";
import type { App } from "../app.ts";
import { notFound, requireUser } from "../auth/access.ts";
import { callerOf } from "../auth/caller.ts";
import { ACCOUNTS_CHANGED } from "../auth/callers.ts";
import { SCOPE_NUMBERS } from "../auth/scopes.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";
import type { ServiceParts } from "./parts.ts";

const FIRST_TOKEN_SECONDS = 90 * 86_400;

export function tokenService(app: App, { accounts, callers }: ServiceParts): ServiceImpl<typeof TokenService> {
  const { db } = app;
  return {
    async whoAmI(_request, context) {
      const caller = callerOf(context);
      const scopes = [...caller.scopes].map((scope) => SCOPE_NUMBERS[scope]);
      const user = caller.user === null ? undefined : await findUser(db, caller.user.id);
      return { scopes, tokenId: caller.tokenId ?? "", ...(user === undefined ? {} : { user: userMessage(user) }) };
    },

    createToken: (request, context) =>
      mutate(
        app,
        context,
        { input: CreateTokenRequestSchema, output: CreateTokenResponseSchema },
        request,
        async (tx, note) => {
          const { row, secret } = await makeToken(tx, await tokenFor(tx, callerOf(context), request));
          note.subject = row.id;
          note.spaceId = row.space_id;
          return { token: tokenMessage(row), secret };
        },
      ),

    async listTokens(request, context) {
      const wanted = pageWanted(request.page, 1);
      const found = await ownTokens(db, callerOf(context), request.all, wanted);
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.id]);
      return { tokens: rows.map(tokenMessage), nextPageToken };
    },

    async revokeToken(request, context) {
      const answer = await mutate(
        app,
        context,
        { input: RevokeTokenRequestSchema, output: RevokeTokenResponseSchema },
        request,
        async (tx, note) => {
          const row = await revokeToken(tx, callerOf(context), request.tokenId);
          note.subject = row.id;
          note.spaceId = row.space_id;
          await app.events.publish(tx, ACCOUNTS_CHANGED);
          return {};
        },
      );
      callers.forget();
      return answer;
    },

    async listUsers(request) {
      const wanted = pageWanted(request.page, 1);
      const { rows, nextPageToken } = pageOf(await listUsers(db, request.search, wanted), wanted, (row) => [row.id]);
      return { users: rows.map(userMessage), nextPageToken };
    },

    async updateUser(request, context) {
      const answer = await mutate(
        app,
        context,
        { input: UpdateUserRequestSchema, output: UpdateUserResponseSchema },
        request,
        async (tx, note) => {
          note.subject = request.userId;
          const row = await updateUser(tx, requireUser(callerOf(context)).id, request);
          if (request.emailConfirmed === true) await claimInvitations(app, tx, row.id);
          await app.events.publish(tx, ACCOUNTS_CHANGED);
          return { user: userMessage(row) };
        },
      );
      callers.forget();
      return answer;
    },

    createResetToken: (request, context) =>
      mutate(
        app,
        context,
        { input: CreateResetTokenRequestSchema, output: CreateResetTokenResponseSchema },
        request,
        async (tx, note) => {
          const user = await findUser(tx, request.user);
          if (user === undefined) throw notFound("the user");
          note.subject = user.id;
          const { secret, expiresAt } = await accounts.resetToken(user.id);
          return { secret, expiresAt: timestampFromDate(expiresAt) };
        },
      ),

    async initAdministrator(request) {
      const { secret, name, email, password } = request;
      const id = await initAdministrator(app, accounts, secret, { name, email, password });
      const user = await findUser(db, id);
      if (user === undefined) throw new LanistaError("internal", "the account is not there");
      const { secret: token } = await makeToken(db, {
        name: "made with the first administrator",
        scope: "administrator",
        userId: id,
        createdBy: id,
        spaceId: null,
        queues: [],
        seconds: FIRST_TOKEN_SECONDS,
      });
      return { user: userMessage(user), token };
    },

    async listServerAudit(request) {
      const wanted = pageWanted(request.page, 1);
      const { rows, nextPageToken } = pageOf(await listAudit(db, null, wanted), wanted, (row) => [row.id]);
      return {
        entries: rows.map((row) => ({
          id: row.id,
          at: timestampFromDate(row.at),
          actor: row.actor,
          action: row.action,
          subject: row.subject,
          spaceId: row.space_id ?? "",
          detailJson: JSON.stringify(row.detail),
        })),
        nextPageToken,
      };
    },
  };
}
