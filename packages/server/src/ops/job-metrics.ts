/**
 * What jobs, workers and sandboxes do, in figures. What is so at this moment (depths, ages, live sandboxes) is asked of the
 * database when somebody reads, so every server says the same; what happened (ends, times) each server counts for itself,
 * and sums over servers are right. A transaction that is begun again may count twice: these are for looking, not for verdicts.
 */
import { sql } from "kysely";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Db } from "../db/database.ts";
import { StepHistogram } from "./step-times.ts";

const TIERS = new Set(["container", "gvisor", "docker", "none"]);
const PHASES = new Set(["bundle", "launch", "ready"]);
const WAITS = [0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 3600, 21_600];
const RUNS = [0.005, 0.025, 0.1, 0.5, 2, 10, 60, 300, 1800];
const STARTS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

export class JobMetrics {
  readonly #ended: Counter<"kind" | "outcome">;
  readonly #failed: Counter<"kind">;
  readonly #wait: Histogram<"queue">;
  readonly #run: Histogram<"kind">;
  readonly #start: Histogram<"tier" | "phase">;
  readonly steps: StepHistogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#ended = new Counter({
      name: "lanista_jobs_ended_total",
      help: "jobs that ended, by how; `dead` ones were set aside after faults of ours",
      labelNames: ["kind", "outcome"],
      registers,
    });
    this.#failed = new Counter({
      name: "lanista_attempts_failed_total",
      help: "attempts that ended in a fault of ours, and led to another or to `dead`",
      labelNames: ["kind"],
      registers,
    });
    this.#wait = new Histogram({
      name: "lanista_job_wait_seconds",
      help: "from being handed in (or put back) to a lease",
      labelNames: ["queue"],
      buckets: WAITS,
      registers,
    });
    this.#run = new Histogram({
      name: "lanista_job_run_seconds",
      help: "from the first lease to the end",
      labelNames: ["kind"],
      buckets: RUNS,
      registers,
    });
    this.#start = new Histogram({
      name: "lanista_sandbox_start_seconds",
      help: "from asking for a sandbox to the end of a phase of its start (`ready`: its program's first word), as workers report it",
      labelNames: ["tier", "phase"],
      buckets: STARTS,
      registers,
    });
    this.steps = new StepHistogram(registry);
  }

  leased(queue: string, waitSeconds: number): void {
    this.#wait.observe({ queue }, Math.max(0, waitSeconds));
  }

  /** `outcome`: its kind, or `dead`. */
  ended(kind: string, outcome: string, runSeconds: number | null): void {
    this.#ended.inc({ kind, outcome });
    if (runSeconds !== null) this.#run.observe({ kind }, Math.max(0, runSeconds));
  }

  attemptFailed(kind: string): void {
    this.#failed.inc({ kind });
  }

  /** Workers of an older version know one phase, the whole. */
  sandboxStarted(tier: string, phase: string, seconds: number): void {
    const known = phase === "" ? "ready" : PHASES.has(phase) ? phase : "other";
    this.#start.observe({ tier: TIERS.has(tier) ? tier : "other", phase: known }, seconds);
  }
}

interface QueueFigures {
  readonly queue: string;
  readonly state: string;
  readonly jobs: number;
  readonly oldest: number;
}
interface WorkerFigures {
  readonly live: number;
  readonly paused: number;
  readonly silent: number;
  readonly sandboxes: number;
  readonly leaked: number;
  readonly lag: number;
}

const ofState = (state: "waiting" | "running" | "dead") => sql`
  SELECT queue, ${sql.lit(state)} AS state, count(*)::int AS jobs,
    extract(epoch FROM now() - min(created_at))::float8 AS oldest
  FROM jobs WHERE state = ${sql.lit(state)} GROUP BY queue`;

/** A part for each state, since each has indexes of its own: those that ended, the most by far, are in none of them. */
export const queuesQuery = sql<QueueFigures>`
  ${ofState("waiting")} UNION ALL ${ofState("running")} UNION ALL ${ofState("dead")}`;

/** Adds the gauges whose values the database has. Each reading costs three short queries; where it is away, they are absent. */
export function addDatabaseGauges(registry: Registry, db: Db): void {
  const registers = [registry];
  const asked = async (gauges: readonly Gauge[], ask: () => Promise<void>): Promise<void> => {
    for (const gauge of gauges) gauge.reset();
    await ask().catch(() => undefined);
  };
  new Gauge({
    name: "lanista_database_up",
    help: "whether the database answered just now",
    registers,
    async collect() {
      this.set(
        await sql`SELECT 1`.execute(db).then(
          () => 1,
          () => 0,
        ),
      );
    },
  });
  const age = new Gauge({
    name: "lanista_queue_oldest_seconds",
    help: "how long the oldest waiting job has waited",
    labelNames: ["queue"],
    registers,
  });
  const silent = new Gauge({
    name: "lanista_worker_silence_seconds",
    help: "how long the most silent of the live workers was not heard of",
    registers,
  });
  const sandboxes = new Gauge({
    name: "lanista_sandboxes",
    help: "sandboxes alive on the workers, and those of which something could not be removed",
    labelNames: ["state"],
    registers,
  });
  const lag = new Gauge({
    name: "lanista_worker_event_loop_lag_seconds",
    help: "the worst worker's event loop lag (99th percentile between two heartbeats)",
    registers,
  });
  new Gauge({
    name: "lanista_queue_jobs",
    help: "jobs that wait, run, or were set aside",
    labelNames: ["queue", "state"],
    registers,
    collect() {
      return asked([this, age], async () => {
        const { rows } = await queuesQuery.execute(db);
        for (const { queue, state, jobs, oldest } of rows) {
          this.set({ queue, state }, jobs);
          if (state === "waiting") age.set({ queue }, oldest);
        }
      });
    },
  });
  new Gauge({
    name: "lanista_workers",
    help: "workers heard of within the last minute, and those of them that paused themselves",
    labelNames: ["state"],
    registers,
    collect() {
      return asked([this, silent, sandboxes, lag], async () => {
        const { rows } = await sql<WorkerFigures>`
        SELECT count(*)::int AS live, count(*) FILTER (WHERE paused <> '')::int AS paused,
          coalesce(max(extract(epoch FROM now() - seen_at)), 0)::float8 AS silent,
          coalesce(sum((health->>'liveSandboxes')::numeric), 0)::float8 AS sandboxes,
          coalesce(sum((health->>'leakedSandboxes')::numeric), 0)::float8 AS leaked,
          coalesce(max((health->>'eventLoopLagMs')::numeric), 0)::float8 / 1000 AS lag
        FROM workers WHERE seen_at > now() - interval '1 minute'`.execute(db);
        const [now] = rows;
        if (now === undefined) return;
        this.set({ state: "live" }, now.live);
        this.set({ state: "paused" }, now.paused);
        silent.set(now.silent);
        sandboxes.set({ state: "live" }, now.sandboxes);
        sandboxes.set({ state: "leaked" }, now.leaked);
        lag.set(now.lag);
      });
    },
  });
}
