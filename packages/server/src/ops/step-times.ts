/**
 * How long matches' steps take. A worker makes thousands a second, so it counts them by bounds that server and worker share,
 * and a heartbeat brings the counts; here they become one histogram of Prometheus'.
 */
import { environments } from "@lanista/games/registry";
import type { Metric, Registry } from "prom-client";

/** Seconds; above the last is one more bucket. */
const BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

export interface StepTimes {
  readonly env: string;
  /** One for each bound, and one for what is above the last. */
  readonly counts: bigint[];
  readonly totalMilliseconds: number;
}

interface Times {
  readonly counts: number[];
  seconds: number;
}

class TimesByEnv {
  readonly #times = new Map<string, Times>();

  of(env: string): Times {
    let times = this.#times.get(env);
    if (times === undefined) {
      times = { counts: Array<number>(BOUNDS.length + 1).fill(0), seconds: 0 };
      this.#times.set(env, times);
    }
    return times;
  }

  get all(): readonly [string, Times][] {
    return [...this.#times];
  }

  clear(): void {
    this.#times.clear();
  }
}

/** On the worker: gathers until a heartbeat takes it. */
export class StepCounts {
  readonly #times = new TimesByEnv();

  add(env: string, milliseconds: number): void {
    const seconds = milliseconds / 1000;
    const times = this.#times.of(env);
    const at = BOUNDS.findIndex((bound) => seconds <= bound);
    times.counts[at < 0 ? BOUNDS.length : at]!++;
    times.seconds += seconds;
  }

  take(): StepTimes[] {
    const taken = this.#times.all.map(([env, { counts, seconds }]) => ({
      env,
      counts: counts.map(BigInt),
      totalMilliseconds: seconds * 1000,
    }));
    this.#times.clear();
    return taken;
  }
}

/** On the server: sums over the workers. */
export class StepHistogram {
  readonly name = "lanista_step_seconds";
  readonly help = "how long a match's step took, from asking who is to act until it was recorded, as workers report it";
  readonly type = "histogram";
  readonly #times = new TimesByEnv();

  constructor(registry: Registry) {
    registry.registerMetric(this as unknown as Metric);
  }

  /** What a worker of another version counts by other bounds is left out. */
  add({ env, counts, totalMilliseconds }: StepTimes): void {
    if (counts.length !== BOUNDS.length + 1) return;
    const times = this.#times.of(environments.has(env) ? env : "other");
    for (const [at, count] of counts.entries()) times.counts[at]! += Number(count);
    times.seconds += totalMilliseconds / 1000;
  }

  /** For the registry. */
  async get(): Promise<unknown> {
    const values = this.#times.all.flatMap(([env, { counts, seconds }]) => {
      let sum = 0;
      const buckets = counts.map((count, at) => {
        sum += count;
        return { labels: { le: BOUNDS[at] ?? "+Inf", env }, value: sum, metricName: `${this.name}_bucket` };
      });
      const labels = { env };
      return [
        ...buckets,
        { labels, value: seconds, metricName: `${this.name}_sum` },
        { labels, value: sum, metricName: `${this.name}_count` },
      ];
    });
    return { name: this.name, help: this.help, type: this.type, values };
  }

  /** For the registry. */
  reset(): void {
    this.#times.clear();
  }
}
