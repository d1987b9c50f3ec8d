/** What is served over plain HTTP beside the services. */
import type { App } from "../app.ts";
import { executorReplayRoute } from "../executor/replay-route.ts";
import { boardRoute } from "../http/board-route.ts";
import type { HttpRoute } from "../http/route.ts";
import { replayRoute } from "./replays.ts";

export function httpRoutes(app: App): readonly HttpRoute[] {
  return [replayRoute(app), boardRoute(app), ...(app.config.executor.enabled ? [executorReplayRoute(app)] : [])];
}
