/** What is served over plain HTTP beside the services. */
import type { App } from "../app.ts";
import type { HttpRoute } from "../http/route.ts";

export function httpRoutes(_app: App): readonly HttpRoute[] {
  return [];
}
