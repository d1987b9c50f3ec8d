/** One job under a lease of this worker's, from its lease until the server has answered how it ended. */
import { create } from "@bufbuild/protobuf";
import { OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { type JobReport, JobReportSchema, type LeasedJob } from "@lanista/api/gen/lanista/v1/workers_pb";
import type { Span } from "@opentelemetry/api";
import type { OutcomeRow } from "../db/types.ts";
import { WORKER_STOPPED } from "../jobs/bounds.ts";
import { endAttempt, startAttempt } from "../ops/tracing.ts";
import { JobOutputBuffer } from "./job-output.ts";
import { type Run, type RunEnd, type Runner, Stopped } from "./runners/runner.ts";
import type { Workshop } from "./workshop.ts";

const KINDS = {
  completed: OutcomeKind.COMPLETED,
  agent_fault: OutcomeKind.AGENT_FAULT,
  infra_fault: OutcomeKind.INFRA_FAULT,
  cancelled: OutcomeKind.CANCELLED,
} as const;
const FAULTS = { worker_stopped: WORKER_STOPPED, timeout: "attempt_timeout", lost: "" } as const;
const MAX_DETAIL = 2000;

type State =
  | { readonly kind: "running" }
  /** It is over, and the server is to hear of it. */
  | { readonly kind: "reporting"; readonly end: RunEnd }
  /** The lease is lost: nobody wants to hear of it. */
  | { readonly kind: "lost" };

export class ActiveJob {
  readonly leased: LeasedJob;
  readonly output: JobOutputBuffer;
  /** Resolves when the run is over and everything of it is gone. Never rejects. */
  readonly over: Promise<void>;
  /** How often the server met a fault of its own on the report. */
  refusals = 0;
  readonly #abort = new AbortController();
  #state: State = { kind: "running" };

  /** `gpus`: this worker's devices that are the job's until it is over; undefined where it has not as many as the job needs. */
  constructor(
    leased: LeasedJob,
    runner: Runner | undefined,
    workshop: Workshop,
    gpus: readonly string[] | undefined,
    onOutput: () => void,
  ) {
    this.leased = leased;
    this.output = new JobOutputBuffer(onOutput);
    this.over = this.#run(runner, workshop, gpus);
  }

  get key(): string {
    return keyOf(this.leased);
  }

  get state(): State["kind"] {
    return this.#state.kind;
  }

  /** Ends the run; what is lost is not reported. */
  stop(stopped: Stopped): void {
    if (stopped.why === "lost") this.#state = { kind: "lost" };
    this.#abort.abort(stopped);
  }

  async #run(runner: Runner | undefined, workshop: Workshop, gpus: readonly string[] | undefined): Promise<void> {
    const { timeoutSeconds, kind } = this.leased;
    const timer = setTimeout(
      () => this.stop(new Stopped("timeout", `the attempt took more than ${timeoutSeconds} seconds`)),
      Math.min(timeoutSeconds * 1000, 2 ** 31 - 1),
    );
    let end: RunEnd;
    const span = startAttempt(this.leased);
    try {
      if (runner === undefined) throw new Error(`this worker does not know jobs of the kind ${kind}`);
      if (gpus === undefined) throw new Error("this worker has not as many GPUs free as the job needs");
      end = await runner(this.#asRun(span, gpus), workshop);
    } catch (error) {
      end = ours(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
    const { signal } = this.#abort;
    // A run that was stopped says `cancelled`, or whatever it was at: the reason is known better here.
    if (signal.aborted) end = ours((signal.reason as Stopped).message, FAULTS[(signal.reason as Stopped).why]);
    endAttempt(span, end.outcome.kind, end.outcome.detail ?? "");
    if (this.#state.kind === "running") this.#state = { kind: "reporting", end };
  }

  #asRun(span: Span, gpus: readonly string[]): Run {
    const { jobId, fence, payloadJson } = this.leased;
    return {
      jobId,
      fence,
      payload: JSON.parse(payloadJson),
      signal: this.#abort.signal,
      span,
      gpus,
      move: (line) => this.output.move(line),
      log: (seat, bytes) => this.output.log(seat, bytes),
    };
  }

  /** What is to be reported; undefined unless it is. */
  report(): JobReport | undefined {
    if (this.#state.kind !== "reporting") return undefined;
    const { outcome, result, replayGzip } = this.#state.end;
    const { jobId, fence } = this.leased;
    return create(JobReportSchema, {
      jobId,
      fence,
      outcome: wireOutcome(outcome),
      resultJson: result === null ? "" : JSON.stringify(result),
      ...(replayGzip === undefined ? {} : { replayGzip }),
      output: this.output.waiting(1024, 16 * 1024 * 1024),
    });
  }

  /** The server does not take the report as it is: it is told that much, as a fault of ours. */
  giveUpReport(why: string): void {
    if (this.#state.kind === "reporting") this.#state = { kind: "reporting", end: ours(why) };
  }
}

export const keyOf = ({ jobId, fence }: { jobId: string; fence: bigint }): string => `${jobId} ${fence}`;

function ours(detail: string, fault = ""): RunEnd {
  return { outcome: { kind: "infra_fault", fault, detail: detail.slice(0, MAX_DETAIL) }, result: null };
}

function wireOutcome({ kind, seats = [], fault = "", detail = "" }: OutcomeRow) {
  return { kind: KINDS[kind], seats: [...seats], fault, detail };
}
