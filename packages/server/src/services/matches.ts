/** MatchService: matches, waiting, running and played. */
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  CancelMatchRequestSchema,
  CancelMatchResponseSchema,
  type MatchService,
  RequestMatchRequestSchema,
  RequestMatchResponseSchema,
} from "@lanista/api/gen/lanista/v1/matches_pb";
import { validate as isUuid } from "uuid";
import type { App } from "../app.ts";
import { atLeast, isAdministrator, requireOwn, requireSpace } from "../auth/access.ts";
import { callerOf } from "../auth/caller.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { requireLadder } from "../ladder/rows.ts";
import { visibleMatch } from "../matches/access.ts";
import { listMatches } from "../matches/list-matches.ts";
import { matchMessages } from "../matches/messages.ts";
import { requestMatch } from "../matches/request-match.ts";
import { watchMatch } from "../matches/watch-match.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";

function optionalId(value: string, field: string): string | null {
  if (value === "") return null;
  if (!isUuid(value)) throw new LanistaError("invalid", `"${value}" is no id`, { field });
  return value;
}

export function matchService(app: App): ServiceImpl<typeof MatchService> {
  const { db } = app;
  return {
    requestMatch: (request, context) =>
      mutate(
        app,
        context,
        { input: RequestMatchRequestSchema, output: RequestMatchResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { ladder, role } = await requireLadder(tx, caller, request.ladderId, "participant");
          const id = await requestMatch(app, tx, { caller, role, ladder, agentIds: request.agentIds });
          note.subject = id;
          note.spaceId = ladder.space_id;
          const [match] = await matchMessages(tx, caller, [await visibleMatch(tx, caller, id)]);
          return { match: match! };
        },
      ),

    async getMatch(request, context) {
      const caller = callerOf(context);
      const [match] = await matchMessages(db, caller, [await visibleMatch(db, caller, request.matchId)]);
      return { match: match! };
    },

    async listMatches(request, context) {
      const caller = callerOf(context);
      const { space, role } = await requireSpace(db, caller, request.space, "participant");
      const wanted = pageWanted(request.page, 1);
      const found = await listMatches(db, wanted, {
        spaceId: space.id,
        ladderId: optionalId(request.ladderId, "ladder_id"),
        agentId: optionalId(request.agentId, "agent_id"),
        requestedBy: atLeast(role, "organiser") ? null : (caller.user?.id ?? ""),
      });
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.id]);
      return { matches: await matchMessages(db, caller, rows), nextPageToken };
    },

    cancelMatch: (request, context) =>
      mutate(
        app,
        context,
        { input: CancelMatchRequestSchema, output: CancelMatchResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const row = await visibleMatch(tx, caller, request.matchId);
          // A ladder's match is nobody's own: only an organiser cancels it.
          if (row.space_id !== null)
            await requireOwn(tx, caller, { spaceId: row.space_id, ownerId: row.owner_id }, "a match of yours");
          else if (!isAdministrator(caller) && row.owner_id !== caller.user?.id)
            throw new LanistaError("forbidden", "only who asked for the match may cancel it");
          note.subject = row.id;
          note.spaceId = row.space_id;
          const mine = caller.user !== null && row.owner_id === caller.user.id;
          const reason = mine ? "cancelled by who asked for it" : "cancelled by an organiser";
          if (!(await cancelJob(app, tx, row.job_id, reason)) && row.outcome?.kind !== "cancelled")
            throw new LanistaError("conflict", "the match is over: there is nothing to cancel");
          const [match] = await matchMessages(tx, caller, [await visibleMatch(tx, caller, row.id)]);
          return { match: match! };
        },
      ),

    async *watchMatch(request, context) {
      for await (const event of watchMatch(app, callerOf(context), request.matchId, context.signal)) yield { event };
    },
  };
}
