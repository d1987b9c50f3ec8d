/**
 * Reports ends until the server has answered each: `accepted`, or that the lease was lost. A few calls at a time, with all that
 * is there by then. The server takes a report once, however often it comes; so a lost answer is asked for again.
 */
import { setImmediate } from "node:timers/promises";
import type { JobReport } from "@lanista/api/gen/lanista/v1/workers_pb";
import type { Logger } from "pino";
import type { ActiveJob } from "./active-job.ts";
import { Backoff } from "./backoff.ts";
import type { JobsAtHand } from "./jobs-at-hand.ts";
import { SignalFlag } from "./signal-flag.ts";
import type { Wire } from "./wire.ts";

const MOST_REPORTS = 64;
const MOST_BYTES = 24 * 1024 * 1024;
/** As few runs' ends as these are one call's, however many calls there might be. */
const FEW = 16;
/** Calls at a time: the server writes each report down by itself, and several at once cost it little more than one. */
const LANES = 4;
/** A report may hold a large replay, and the line may be slow. */
const CALL_MS = 120_000;
const BACKOFF_MOST_MS = 5000;
const IDLE_MS = 60_000;
/** A fault of the server's own may pass; one report that always meets it must not keep the others. */
const MOST_REFUSALS = 5;

interface Pending {
  readonly job: ActiveJob;
  readonly report: JobReport;
}

export class Reporter {
  readonly #jobs: JobsAtHand;
  readonly #wire: Wire;
  readonly #log: Logger;
  readonly #flag = new SignalFlag();
  readonly #backoff = new Backoff(BACKOFF_MOST_MS);
  /** One report a call: after a refusal of several, of which nobody knows whose it was. */
  #single = false;
  readonly #sending = new Set<ActiveJob>();

  constructor(jobs: JobsAtHand, wire: Wire, log: Logger) {
    this.#jobs = jobs;
    this.#wire = wire;
    this.#log = log;
  }

  /** There is something to report. */
  wake(): void {
    this.#flag.raise();
  }

  /** Until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const calls = new Set<Promise<void>>();
    while (!signal.aborted) {
      // Runs that end in one moment are reported together.
      await setImmediate();
      const batch = calls.size < (this.#single ? 1 : LANES) ? this.#batch(LANES - calls.size) : [];
      if (batch.length === 0) {
        if (calls.size === 0) this.#single = false;
        await this.#flag.wait(IDLE_MS, signal);
        continue;
      }
      for (const { job } of batch) this.#sending.add(job);
      const call = this.#send(batch, signal).then(async (answered) => {
        if (!answered) await this.#backoff.wait(signal);
        for (const { job } of batch) this.#sending.delete(job);
        calls.delete(call);
        this.#flag.raise();
      });
      calls.add(call);
    }
    await Promise.all(calls);
  }

  /** A part of what is to be reported and is not on its way: so many calls share it. */
  #batch(lanes: number): readonly Pending[] {
    const waiting = this.#jobs.all.filter((job) => job.state === "reporting" && !this.#sending.has(job));
    const most = this.#single ? 1 : Math.min(MOST_REPORTS, Math.max(FEW, Math.ceil(waiting.length / lanes)));
    const batch: Pending[] = [];
    let bytes = 0;
    for (const job of waiting.slice(0, most)) {
      const report = job.report();
      if (report === undefined) continue;
      bytes += report.replayGzip.length + report.resultJson.length;
      for (const { piece } of report.output)
        bytes += piece.case === "log" ? piece.value.text.length : (piece.value?.length ?? 0);
      if (batch.length > 0 && bytes > MOST_BYTES) break;
      batch.push({ job, report });
    }
    return batch;
  }

  /** False: it is to be tried again, after a while. */
  async #send(batch: readonly Pending[], signal: AbortSignal): Promise<boolean> {
    try {
      const answers = await this.#wire.report(
        batch.map(({ report }) => report),
        { signal, timeoutMs: CALL_MS },
      );
      this.#backoff.reset();
      for (const [index, { job }] of batch.entries()) {
        const answer = answers[index];
        if (answer === undefined) throw new Error("the server answered fewer reports than it got");
        this.#answered(job, answer.accepted, answer.reason);
      }
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      const { code, message } = this.#wire.failed("report", error);
      if (code !== "invalid" && code !== "too_large" && code !== "internal") return false;
      const { job } = batch[0]!;
      if (batch.length > 1) this.#single = true;
      else if (code === "internal" && ++job.refusals < MOST_REFUSALS) this.#jobs.last(job);
      else {
        this.#log.error({ job: job.leased.jobId }, `the server does not take the report: ${message}`);
        job.giveUpReport(`the server did not take the worker's report: ${message}`);
      }
      return false;
    }
  }

  #answered(job: ActiveJob, accepted: boolean, reason: string): void {
    const { jobId } = job.leased;
    if (!accepted) this.#log.warn({ job: jobId, reason }, "a report was refused");
    this.#jobs.forget(job);
  }

  /** Resolves when nothing is left to report, or the time is over. */
  async flushed(ms: number): Promise<boolean> {
    const until = performance.now() + ms;
    while (this.#jobs.reporting > 0) {
      if (performance.now() >= until) return false;
      this.wake();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return true;
  }
}
