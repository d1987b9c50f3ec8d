/** A job's trace, as a collector gets it: its id is the job's, the job's span above the others. */
import { createServer, type Server as HttpServer } from "node:http";
import { cancelJob } from "@lanista/server/jobs/cancel";
import { enqueue } from "@lanista/server/jobs/enqueue";
import { inTransaction } from "@lanista/server/jobs/transaction";
import { endAttempt, startAttempt, traceparent, traceSandbox } from "@lanista/server/ops/tracing";
import { type TestServer, testServer } from "@lanista/server/testing/server";
import { afterAll, beforeAll, expect, it } from "vitest";

interface Sent {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

const sent: Sent[] = [];
let collector: HttpServer;
let server: TestServer;

beforeAll(async () => {
  collector = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    for (const resource of JSON.parse(text).resourceSpans)
      for (const scope of resource.scopeSpans) sent.push(...scope.spans);
    response.end("{}");
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const { port } = collector.address() as { port: number };
  server = await testServer({ flags: { "otel.endpoint": `http://127.0.0.1:${port}` } });
});
afterAll(async () => {
  await server.close();
  collector.close();
});

it("is one trace from being handed in to the sandbox's first word", async () => {
  const { app } = server;
  const job = await inTransaction(app, (tx) =>
    enqueue(app, tx, { kind: "noop", fairKey: "x", payload: { seconds: 0, end: "completed" }, timeoutSeconds: 60 }),
  );
  const attempt = startAttempt({ jobId: job.id, kind: "noop", attempt: 1, queue: "default" });
  traceSandbox(attempt, 0, "container", 30);
  endAttempt(attempt, "completed", "");
  await inTransaction(app, (tx) => cancelJob(app, tx, job.id, "enough"));
  // What was gathered is sent at the end.
  await server.close();
  const traceId = job.id.replaceAll("-", "");
  const spans = new Map(sent.filter((span) => span.traceId === traceId).map((span) => [span.name, span]));
  expect([...spans.keys()].sort()).toEqual(["attempt 1", "job noop", "sandbox seat 0", "wait"]);
  const whole = spans.get("job noop")!;
  expect(whole.parentSpanId ?? "").toBe("");
  expect(traceparent(job.id)).toBe(`00-${traceId}-${whole.spanId}-01`);
  for (const name of ["wait", "attempt 1"]) expect(spans.get(name)?.parentSpanId).toBe(whole.spanId);
  expect(spans.get("sandbox seat 0")?.parentSpanId).toBe(spans.get("attempt 1")?.spanId);
});
