/** What the runner of a kind of job is given, and what it gives back. */
import type { Span } from "@opentelemetry/api";
import type { OutcomeRow } from "../../db/types.ts";
import type { Workshop } from "../workshop.ts";

/** Why a run is stopped before its end, as the reason of its signal. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  readonly why: "lost" | "worker_stopped" | "timeout";

  constructor(why: Stopped["why"], message: string) {
    super(message);
    this.why = why;
  }
}

export interface Run {
  readonly jobId: string;
  readonly fence: bigint;
  /** As the server sent it; the runner parses it by its kind's schema. */
  readonly payload: unknown;
  /** Aborted with a Stopped: then everything of the run is to be gone soon, and what it returns is not looked at. */
  readonly signal: AbortSignal;
  /** The attempt's, for traces. */
  readonly span: Span;
  /** Devices of this machine, by their CDI names, that nobody else has as long as it runs. */
  readonly gpus: readonly string[];
  /** A line of the replay. */
  move(line: string): void;
  log(seat: number, bytes: Buffer): void;
}

export interface RunEnd {
  readonly outcome: OutcomeRow;
  /** By the kind's schema; null where there is nothing to tell. */
  readonly result: unknown;
  readonly replayGzip?: Uint8Array;
}

/** Whatever it throws is a fault of ours. */
export type Runner = (run: Run, workshop: Workshop) => Promise<RunEnd>;
