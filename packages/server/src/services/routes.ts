/** What is served over plain HTTP beside the services. */
import type { App } from "../app.ts";
import { executorReplayRoute } from "../executor/replay-route.ts";
import type { HttpRoute } from "../http/route.ts";

export function httpRoutes(app: App): readonly HttpRoute[] {
  return [...(app.config.executor.enabled ? [executorReplayRoute(app)] : [])];
}
