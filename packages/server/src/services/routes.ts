/** What is served over plain HTTP beside the services. */
import { executorReplayRoute } from "../executor/replay-route.ts";
import { boardRoute } from "../http/board-route.ts";
import { courseRoute } from "../http/course-route.ts";
import { invitationRoute } from "../http/invitation-route.ts";
import type { HttpRoute } from "../http/route.ts";
import type { ServiceParts } from "./parts.ts";
import { replayRoute } from "./replays.ts";

export function httpRoutes({ app, publicUrl }: ServiceParts): readonly HttpRoute[] {
  return [
    replayRoute(app),
    boardRoute(app),
    courseRoute(app),
    invitationRoute(publicUrl),
    ...(app.config.executor.enabled ? [executorReplayRoute(app)] : []),
  ];
}
