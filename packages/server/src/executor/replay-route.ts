/**
 * Serves the executor's replays. Who has the URL may read it, as the backend hands it on to browsers; the id in it has 74
 * random bits, and nothing lists them to strangers. Only matches that the executor was asked for are here.
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { LanistaError } from "@lanista/api/errors";
import type { App } from "../app.ts";
import { setHeader } from "../http/headers.ts";
import { type HttpRoute, type RouteRequest, send } from "../http/route.ts";
import { Gate } from "./gate.ts";
import { loadLimits } from "./limits-file.ts";
import { findReplay, REPLAY_PATH, readReplay, replayHtml, replayJson } from "./replay-files.ts";

const pack = promisify(gzip);
/** Made at once: each is a match run again. */
const PLACES = 2;

const noReplay = (): LanistaError => new LanistaError("not_found", "there is no such replay");

/** Throws LanistaError `invalid` where the limits' file is wrong. */
export function executorReplayRoute(app: App): HttpRoute {
  const { replay: options } = loadLimits(app.config.executor.limitsFile);
  const gate = new Gate(PLACES);
  return {
    path: REPLAY_PATH,
    methods: ["GET", "HEAD"],
    handle: async ({ request, response, url, caller }: RouteRequest) => {
      // Anybody may ask, so many times a minute.
      await caller();
      const [, id = "", ending = ""] =
        /^([0-9a-f-]{36})\.(json|html)$/.exec(url.pathname.slice(REPLAY_PATH.length)) ?? [];
      // Who asks for what is not there does not stand in the way of who asks for what is.
      const place = id === "" || (ending === "json" && options.format === "html") ? null : await findReplay(app, id);
      if (place === null) throw noReplay();
      const made = await gate.run(async () => {
        const replay = await readReplay(app, place);
        if (replay === null) throw noReplay();
        return ending === "html" ? replayHtml(replay) : replayJson(replay, options);
      });
      // What ended does not change any more.
      setHeader(response, "cache-control", "private, max-age=86400, immutable");
      setHeader(response, "cross-origin-resource-policy", "cross-origin");
      if (ending === "html") {
        // The page names the scripts and styles it may run by their hashes, in a policy of its own.
        setHeader(response, "content-security-policy", "frame-ancestors 'self'; base-uri 'none'; form-action 'none'");
        return send(response, 200, "text/html; charset=utf-8", made);
      }
      setHeader(response, "access-control-allow-origin", "*");
      setHeader(response, "vary", "accept-encoding");
      const accepts = /(^|[,\s])gzip\s*(;|,|$)/.test(String(request.headers["accept-encoding"] ?? ""));
      if (!options.compress || !accepts) return send(response, 200, "application/json; charset=utf-8", made);
      setHeader(response, "content-encoding", "gzip");
      send(response, 200, "application/json; charset=utf-8", await pack(made));
    },
  };
}
