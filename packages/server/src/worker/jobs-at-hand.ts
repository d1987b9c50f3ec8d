/** The jobs under this worker's leases: started here, known to the heartbeat, forgotten when the server has answered. */
import type { LeasedJob } from "@lanista/api/gen/lanista/v1/workers_pb";
import type { Logger } from "pino";
import type { ResourcesRow } from "../db/types.ts";
import { ActiveJob, keyOf } from "./active-job.ts";
import type { GpuShelf } from "./gpu-shelf.ts";
import { type Runner, Stopped } from "./runners/runner.ts";
import type { Workshop } from "./workshop.ts";

export interface JobEvents {
  /** A job has given something. */
  output(): void;
  /** A run is over: its place is free, and it may be reported. */
  over(job: ActiveJob): void;
  /** The server has answered a report. */
  answered(): void;
}

export class JobsAtHand {
  readonly #jobs = new Map<string, ActiveJob>();
  readonly #runners: ReadonlyMap<string, Runner>;
  readonly #workshop: Workshop;
  readonly #gpus: GpuShelf;
  readonly #log: Logger;
  readonly #events: JobEvents;
  #running = 0;

  constructor(
    runners: ReadonlyMap<string, Runner>,
    workshop: Workshop,
    gpus: GpuShelf,
    log: Logger,
    events: JobEvents,
  ) {
    this.#runners = runners;
    this.#workshop = workshop;
    this.#gpus = gpus;
    this.#log = log;
    this.#events = events;
  }

  /** All that the server holds this worker to, those that are only to be reported yet included. */
  get all(): readonly ActiveJob[] {
    return [...this.#jobs.values()];
  }

  /** Runs that take a place. */
  get running(): number {
    return this.#running;
  }

  /** Those that wait to be reported. */
  get reporting(): number {
    return this.#jobs.size - this.#running;
  }

  /** What the running jobs asked for, together; the GPUs they have the shelf knows. */
  needs(): Required<Pick<ResourcesRow, "cpus" | "memoryBytes">> {
    const sum = { cpus: 0, memoryBytes: 0 };
    for (const { leased, state } of this.#jobs.values()) {
      if (state !== "running" || leased.needs === undefined) continue;
      sum.cpus += leased.needs.cpus;
      sum.memoryBytes += Number(leased.needs.memoryBytes);
    }
    return sum;
  }

  start(leased: LeasedJob): void {
    const key = keyOf(leased);
    if (this.#jobs.has(key)) return;
    const { jobId, kind, attempt, queue } = leased;
    const log = this.#log.child({ job: jobId, attempt });
    log.info({ kind, queue }, "job started");
    const began = performance.now();
    // Without what it asks for it does not begin: the run says so (active-job.ts).
    const gpus = this.#gpus.take(leased.needs?.gpus ?? 0);
    const job = new ActiveJob(leased, this.#runners.get(kind), this.#workshop, gpus, () => this.#events.output());
    this.#jobs.set(key, job);
    this.#running++;
    void job.over.then(() => {
      this.#running--;
      this.#gpus.putBack(gpus ?? []);
      const lost = job.state === "lost";
      if (lost) this.#jobs.delete(key);
      log.info({ kind, ms: Math.round(performance.now() - began) }, lost ? "job stopped: it is lost" : "job over");
      this.#events.over(job);
    });
  }

  /** The server has taken the lease back. A job that is not here is no matter. */
  lost(which: { jobId: string; fence: bigint }, reason: string): void {
    const job = this.#jobs.get(keyOf(which));
    if (job === undefined) return;
    if (job.state === "reporting") this.forget(job);
    job.stop(new Stopped("lost", reason));
  }

  stopAll(stopped: Stopped): void {
    for (const job of this.#jobs.values()) if (job.state === "running") job.stop(stopped);
  }

  /** The server has answered its report. */
  forget(job: ActiveJob): void {
    this.#jobs.delete(job.key);
    this.#events.answered();
  }

  /** The others come first. */
  last(job: ActiveJob): void {
    if (this.#jobs.delete(job.key)) this.#jobs.set(job.key, job);
  }

  /** When every run is over. */
  async idle(): Promise<void> {
    await Promise.all(this.all.map((job) => job.over));
  }
}
