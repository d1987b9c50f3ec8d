/** A collector of OpenTelemetry's, as far as our spans go. */
import { createServer } from "node:http";

export interface Sent {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

export interface SpanCollector {
  readonly url: string;
  /** Those of a job's trace that have come, by their names. */
  of(jobId: string): ReadonlyMap<string, Sent>;
  close(): void;
}

export async function collectSpans(): Promise<SpanCollector> {
  const sent: Sent[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    for (const resource of JSON.parse(text).resourceSpans)
      for (const scope of resource.scopeSpans) sent.push(...scope.spans);
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    of(jobId) {
      const traceId = jobId.replaceAll("-", "");
      return new Map(sent.filter((span) => span.traceId === traceId).map((span) => [span.name, span]));
    },
    close: () => server.close(),
  };
}
