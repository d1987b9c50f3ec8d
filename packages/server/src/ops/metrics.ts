/** The server's figures, for Prometheus. Labels are bounded: names of queues, kinds and tiers, never ids. */
import { Registry } from "prom-client";

export interface Metrics {
  readonly registry: Registry;
}

export function createMetrics(): Metrics {
  return { registry: new Registry() };
}
