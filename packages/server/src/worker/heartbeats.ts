/**
 * The heartbeat: prolongs the leases of all jobs at hand, hands over what they gave since the last, and hears which are lost.
 * Every few seconds, and soon after a job gave something, so that people can watch.
 */
import type { HeartbeatResponse } from "@lanista/api/gen/lanista/v1/workers_pb";
import type { Logger } from "pino";
import type { ResourcesRow } from "../db/types.ts";
import type { ActiveJob } from "./active-job.ts";
import { pause } from "./backoff.ts";
import type { JobsAtHand } from "./jobs-at-hand.ts";
import { SignalFlag } from "./signal-flag.ts";
import type { Wire } from "./wire.ts";
import { wireResources } from "./wire-resources.ts";
import type { Health } from "./workshop.ts";

const CALL_MS = 10_000;
/** Output gathers for this long before it is sent. */
const GATHER_MS = 150;
/** After a call that failed. A lease may be at stake. */
const RETRY_MS = 500;
const MOST_PIECES = 256;
/** Characters of output in one call, over all jobs. */
const MOST_CHARACTERS = 512 * 1024;

export interface HeartbeatParts {
  readonly wire: Wire;
  readonly jobs: JobsAtHand;
  readonly health: () => Health;
  readonly log: Logger;
  readonly free: () => Promise<Required<ResourcesRow>>;
  /** Whether the server knows this worker at all. */
  readonly ready: () => boolean;
  /** Why no jobs are taken; empty where they are. */
  readonly paused: () => string;
  readonly answered: (response: HeartbeatResponse) => void;
  readonly onUnknown: () => void;
}

export class Heartbeats {
  readonly #parts: HeartbeatParts;
  readonly #flag = new SignalFlag();
  #everyMs = 5000;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  /** The server wants one at least so often. */
  every(seconds: number): void {
    if (seconds > 0) this.#everyMs = seconds * 1000;
  }

  /** There is something to tell. */
  wake(): void {
    this.#flag.raise();
  }

  /** Until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#flag.wait(this.#everyMs * (0.8 + Math.random() / 10), signal);
      const since = performance.now() - this.#lastMs;
      if (since < GATHER_MS) await pause(GATHER_MS - since, signal);
      while (!signal.aborted && this.#parts.ready() && (await this.#beat(signal)));
    }
  }

  /** True: there was more than one call takes. */
  async #beat(signal: AbortSignal): Promise<boolean> {
    const { wire, jobs, health, free, paused, answered, onUnknown } = this.#parts;
    let room = MOST_CHARACTERS;
    const sent = jobs.all.map((job: ActiveJob) => {
      const output = room > 0 && !job.output.empty ? job.output.waiting(MOST_PIECES, room) : [];
      for (const { piece } of output)
        room -= piece.case === "log" ? piece.value.text.length : (piece.value?.length ?? 0);
      return { job, output };
    });
    try {
      const response = await wire.heartbeat(
        {
          workerId: wire.workerId,
          running: sent.map(({ job: { leased }, output }) => ({ jobId: leased.jobId, fence: leased.fence, output })),
          free: wireResources(await free()),
          paused: paused(),
          health: health(),
        },
        { signal, timeoutMs: CALL_MS },
      );
      this.#lastMs = performance.now();
      for (const { job, output } of sent) job.output.taken(output);
      for (const lost of response.lost) jobs.lost(lost, lost.reason);
      answered(response);
    } catch (error) {
      if (signal.aborted) return false;
      if (wire.failed("heartbeat", error).code === "not_found") onUnknown();
      await pause(RETRY_MS * (0.5 + Math.random()), signal);
      return jobs.all.length > 0;
    }
    return sent.some(({ job, output }) => output.length > 0 && !job.output.empty && room <= 0);
  }
}
