/** The calls that a worker makes, and how they fail. It only ever calls; nothing connects to it. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { connect, type LanistaClient } from "@lanista/api/client";
import { fromWire, type LanistaError } from "@lanista/api/errors";
import type {
  AttendResponse,
  HeartbeatRequestSchema,
  HeartbeatResponse,
  JobReport,
  LeasedJob,
  LeaseRequestSchema,
  ReportAnswer,
  WorkerHelloSchema,
} from "@lanista/api/gen/lanista/v1/workers_pb";
import type { Logger } from "pino";
import type { FetchBytes } from "./bundle-cache.ts";

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Between two pieces of a bundle. */
const PIECE_MS = 30_000;
const FETCH_TRIES = 5;

export class Wire {
  readonly workerId: string;
  readonly #client: LanistaClient["workers"];
  readonly #log: Logger;
  readonly #onRefused: (call: string, error: LanistaError) => void;

  /** `onRefused`: the server does not know the token, or does not let it do what a worker does. */
  constructor(
    workerId: string,
    server: { readonly url: string; readonly token: string },
    log: Logger,
    onRefused: (call: string, error: LanistaError) => void,
  ) {
    this.workerId = workerId;
    this.#client = connect(server).workers;
    this.#log = log;
    this.#onRefused = onRefused;
  }

  attend(hello: MessageInitShape<typeof WorkerHelloSchema>, signal: AbortSignal): AsyncIterable<AttendResponse> {
    return this.#client.attend({ hello }, { signal });
  }

  async lease(request: MessageInitShape<typeof LeaseRequestSchema>, options: CallOptions): Promise<LeasedJob[]> {
    return (await this.#client.lease(request, options)).jobs;
  }

  heartbeat(
    request: MessageInitShape<typeof HeartbeatRequestSchema>,
    options: CallOptions,
  ): Promise<HeartbeatResponse> {
    return this.#client.heartbeat(request, options);
  }

  async report(reports: JobReport[], options: CallOptions): Promise<ReportAnswer[]> {
    const { workerId } = this;
    return (await this.#client.report({ workerId, reports }, options)).answers;
  }

  /** The bundle of a job under our lease. A line that breaks is tried again from the start. */
  fetch(job: { jobId: string; fence: bigint }, digest: string): FetchBytes {
    const { workerId } = this;
    const { jobId, fence } = job;
    const client = this.#client;
    return async function* (signal) {
      for (let attempt = 1; ; attempt++) {
        const silent = new AbortController();
        let timer = setTimeout(() => silent.abort(), PIECE_MS);
        let began = false;
        try {
          const both = AbortSignal.any([signal, silent.signal]);
          for await (const { data } of client.fetchBundle({ workerId, jobId, fence, digest }, { signal: both })) {
            clearTimeout(timer);
            timer = setTimeout(() => silent.abort(), PIECE_MS);
            began = true;
            yield data;
          }
          return;
        } catch (error) {
          // Bytes that were given away cannot be taken back.
          const { code } = fromWire(error);
          const passing = code === "unavailable" || code === "aborted";
          if (signal.aborted || began || attempt === FETCH_TRIES || !passing)
            throw new Error(`the bundle ${digest} could not be fetched: ${fromWire(error).message}`, { cause: error });
          await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
        } finally {
          clearTimeout(timer);
        }
      }
    };
  }

  /** What a failed call means. */
  failed(call: string, error: unknown): LanistaError {
    const told = fromWire(error);
    if (told.code === "unauthenticated" || told.code === "forbidden") this.#onRefused(call, told);
    this.#log.warn({ call, code: told.code }, `the server cannot be reached, or refuses: ${told.message}`);
    return told;
  }
}
