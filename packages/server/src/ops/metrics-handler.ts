/** `/metrics`, for Prometheus. */
import type { NodeHandlerFn } from "../http/node.ts";
import { send } from "../http/route.ts";
import type { Metrics } from "./metrics.ts";

export function metricsHandler({ registry }: Metrics): NodeHandlerFn {
  return (request, response) => {
    if ((request.url ?? "").split("?", 1)[0] !== "/metrics")
      return send(response, 404, "text/plain", "only /metrics\n");
    registry.metrics().then(
      (text) => send(response, 200, registry.contentType, text),
      () => send(response, 503, "text/plain", "the figures cannot be had at the moment\n"),
    );
  };
}
