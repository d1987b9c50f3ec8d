/**
 * Traces, where `otel.endpoint` names a collector: one span a call, and one trace a job. A job's trace needs no storing: its id
 * is the job's own, so whatever server or worker works on the job, now or after a crash, adds to the same trace:
 *
 *   job                       from being handed in to its end                     (server)
 *   ├─ wait                   until the first lease                               (server)
 *   └─ attempt N              what one worker did                                 (worker)
 *      └─ sandbox seat S      from asking for a sandbox to its program's first word; of a validation's two boxes
 *                             `sandbox inspection` and `sandbox dry run`
 */
import { randomBytes } from "node:crypto";
import type { Interceptor } from "@connectrpc/connect";
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { JobRow } from "../jobs/kinds.ts";

/** Sends spans until it is ended; what was gathered is sent then. Without it, spans cost nothing and go nowhere. */
export async function startTracing(endpoint: string, serviceName: string): Promise<() => Promise<void>> {
  const [{ NodeSDK }, { OTLPTraceExporter }] = await Promise.all([
    import("@opentelemetry/sdk-node"),
    import("@opentelemetry/exporter-trace-otlp-http"),
  ]);
  const url = `${endpoint.replace(/\/+$/, "")}/v1/traces`;
  const traceExporter = new OTLPTraceExporter({ url });
  const sdk = new NodeSDK({ serviceName, traceExporter, idGenerator, instrumentations: [] });
  sdk.start();
  return () => sdk.shutdown();
}

const tracer = () => trace.getTracer("lanista");

/** Ids are drawn, but the job's own span's: its is known beforehand (startSpan asks for it at once, in the same turn). */
class Ids {
  next: { traceId: string; spanId: string } | null = null;

  generateTraceId = (): string => this.next?.traceId ?? randomBytes(16).toString("hex");
  generateSpanId = (): string => this.next?.spanId ?? randomBytes(8).toString("hex");
}
const idGenerator = new Ids();

/** The job's own span is numbered by the half of its id that is drawn, so that everybody knows its parent. */
function ids(jobId: string): { traceId: string; spanId: string } {
  const traceId = jobId.replaceAll("-", "");
  return { traceId, spanId: traceId.slice(16) };
}

/** Spans made in it belong to the job. */
function within(jobId: string): Context {
  return trace.setSpanContext(ROOT_CONTEXT, { ...ids(jobId), traceFlags: 1, isRemote: true });
}

/** W3C's header for the job's span, as it goes to workers. */
export function traceparent(jobId: string): string {
  const { traceId, spanId } = ids(jobId);
  return `00-${traceId}-${spanId}-01`;
}

/** Told once a job has ended. */
export function traceJob(job: JobRow, outcome: string): void {
  const end = job.ended_at ?? new Date();
  const attributes = { "lanista.job.id": job.id, "lanista.job.kind": job.kind, "lanista.queue": job.queue };
  const parent = within(job.id);
  const wait = tracer().startSpan("wait", { startTime: job.created_at, attributes }, parent);
  wait.end(job.started_at ?? end);
  idGenerator.next = ids(job.id);
  const whole = tracer().startSpan(`job ${job.kind}`, { startTime: job.created_at, attributes }, ROOT_CONTEXT);
  idGenerator.next = null;
  whole.setAttribute("lanista.outcome", outcome);
  whole.setAttribute("lanista.attempts", job.attempt);
  if (outcome === "infra_fault" || outcome === "dead") whole.setStatus({ code: SpanStatusCode.ERROR });
  whole.end(end);
}

/** An attempt, on the worker. */
export function startAttempt(job: { jobId: string; kind: string; attempt: number; queue: string }): Span {
  const attributes = { "lanista.job.id": job.jobId, "lanista.job.kind": job.kind, "lanista.queue": job.queue };
  return tracer().startSpan(`attempt ${job.attempt}`, { attributes, kind: SpanKind.CONSUMER }, within(job.jobId));
}

/** A sandbox that has just said its first word; `whose`: `seat 0`, `dry run`. */
export function traceSandbox(attempt: Span, whose: string, tier: string, milliseconds: number): void {
  const end = Date.now();
  const attributes = { "lanista.tier": tier, "lanista.sandbox": whose };
  const span = tracer().startSpan(
    `sandbox ${whose}`,
    { startTime: end - milliseconds, attributes },
    trace.setSpan(ROOT_CONTEXT, attempt),
  );
  span.end(end);
}

export function endAttempt(attempt: Span, outcome: string, detail: string): void {
  attempt.setAttribute("lanista.outcome", outcome);
  if (outcome === "infra_fault") attempt.setStatus({ code: SpanStatusCode.ERROR, message: detail });
  attempt.end();
}

/** A span for each call; a stream's lasts until its first answer. */
export function traceCalls(requestIdOf: (request: Parameters<ReturnType<Interceptor>>[0]) => string): Interceptor {
  return (next) => async (request) => {
    const span = tracer().startSpan(`${request.service.typeName}/${request.method.name}`, {
      kind: SpanKind.SERVER,
      attributes: { "rpc.system": "connect_rpc", "lanista.request.id": requestIdOf(request) },
    });
    try {
      return await next(request);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      span.end();
    }
  };
}
