/** ReplayService, and the same replays at plain addresses. */
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import type { ReplayService } from "@lanista/api/gen/lanista/v1/replays_pb";
import { validate as isUuid } from "uuid";
import type { App } from "../app.ts";
import { notFound } from "../auth/access.ts";
import { callerOf } from "../auth/caller.ts";
import { setHeader } from "../http/headers.ts";
import { type HttpRoute, send } from "../http/route.ts";
import { visibleMatch } from "../matches/access.ts";
import { parsed, replayPage, requireReplay } from "../matches/replay-text.ts";

const PIECE = 64 * 1024;
const PATH = "/replays/";

export function replayService(app: App): ServiceImpl<typeof ReplayService> {
  return {
    async *getReplay(request, context) {
      const match = await visibleMatch(app.db, callerOf(context), request.matchId);
      const text = await requireReplay(app, match);
      for (let at = 0; at < text.length; ) {
        // Not between the two halves of a character: each would be sent as none.
        const end = at + PIECE + (/[\ud800-\udbff]/.test(text[at + PIECE - 1] ?? "") ? 1 : 0);
        yield { text: text.slice(at, end) };
        at = end;
      }
    },

    async exportReplay(request, context) {
      const match = await visibleMatch(app.db, callerOf(context), request.matchId);
      return { html: replayPage(await requireReplay(app, match)) };
    },
  };
}

/** `/replays/{match_id}.jsonl`, `.json` (the same as one document) and `.html`, for who may see the match. */
export function replayRoute(app: App): HttpRoute {
  return {
    path: PATH,
    methods: ["GET", "HEAD"],
    async handle({ response, url, caller }) {
      const [, id = "", ending = ""] = /^([^/.]+)\.(jsonl|json|html)$/.exec(url.pathname.slice(PATH.length)) ?? [];
      const who = await caller();
      if (who.scopes.size === 0)
        throw new LanistaError("unauthenticated", "a replay is for members of its space", {
          hint: "Sign in, or send a token as `Authorization: Bearer TOKEN`.",
        });
      if (!isUuid(id)) throw notFound("the replay");
      const text = await requireReplay(app, await visibleMatch(app.db, who, id));
      switch (ending) {
        case "html":
          // The page names the scripts and styles it may run by their hashes, in a policy of its own.
          setHeader(response, "content-security-policy", "frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
          return send(response, 200, "text/html; charset=utf-8", replayPage(text));
        case "json":
          return send(response, 200, "application/json; charset=utf-8", `${JSON.stringify(parsed(text))}\n`);
        default:
          return send(response, 200, "application/jsonl; charset=utf-8", text);
      }
    },
  };
}
