/** The server's figures, for Prometheus. Labels are bounded: names of methods, queues, kinds and tiers, never ids. */
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { JobMetrics } from "./job-metrics.ts";

export interface Metrics {
  readonly registry: Registry;
  readonly jobs: JobMetrics;
  /** An RPC ended. */
  call(method: string, code: string, seconds: number): void;
  /** Streams that are open: one more, or one less. */
  streams(by: 1 | -1): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: "lanista_" });
  const calls = new Histogram({
    name: "lanista_rpc_seconds",
    help: "how long calls took, by method and code",
    labelNames: ["method", "code"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const streams = new Gauge({ name: "lanista_rpc_streams", help: "streams that are open", registers });
  return {
    registry,
    jobs: new JobMetrics(registry),
    call: (method, code, seconds) => calls.observe({ method, code }, seconds),
    streams: (by) => streams.inc(by),
  };
}
