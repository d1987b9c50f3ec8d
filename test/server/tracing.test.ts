/** A job's trace, as a collector gets it: its id is the job's, the job's span above the others. */
import { cancelJob } from "@lanista/server/jobs/cancel";
import { enqueue } from "@lanista/server/jobs/enqueue";
import { inTransaction } from "@lanista/server/jobs/transaction";
import { endAttempt, startAttempt, traceparent, traceSandbox } from "@lanista/server/ops/tracing";
import { type TestServer, testServer } from "@lanista/server/testing/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { collectSpans, type SpanCollector } from "./support/span-collector.ts";

let collector: SpanCollector;
let server: TestServer;

beforeAll(async () => {
  collector = await collectSpans();
  server = await testServer({ flags: { "otel.endpoint": collector.url } });
}, 60_000);
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
  traceSandbox(attempt, "seat 0", "container", 30);
  endAttempt(attempt, "completed", "");
  await inTransaction(app, (tx) => cancelJob(app, tx, job.id, "enough"));
  // What was gathered is sent at the end.
  await server.close();
  const spans = collector.of(job.id);
  expect([...spans.keys()].sort()).toEqual(["attempt 1", "job noop", "sandbox seat 0", "wait"]);
  const whole = spans.get("job noop")!;
  expect(whole.parentSpanId ?? "").toBe("");
  expect(traceparent(job.id)).toBe(`00-${job.id.replaceAll("-", "")}-${whole.spanId}-01`);
  for (const name of ["wait", "attempt 1"]) expect(spans.get(name)?.parentSpanId).toBe(whole.spanId);
  expect(spans.get("sandbox seat 0")?.parentSpanId).toBe(spans.get("attempt 1")?.spanId);
});
