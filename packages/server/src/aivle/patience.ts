/** Tries again what may work later, for a bounded while, and tells of the first try and of every tenth. */
import { type ErrorCode, LanistaError } from "@lanista/api/errors";
import type { Logger } from "pino";
import { Backoff } from "../worker/backoff.ts";

export interface Patience {
  /** Which refusals may end by themselves. */
  readonly codes: readonly ErrorCode[];
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

const MOST_WAIT_MS = 10_000;

/** Throws the last refusal, and LanistaError `cancelled`. */
export async function patiently<T>({ codes, seconds, signal, log }: Patience, work: () => Promise<T>): Promise<T> {
  const backoff = new Backoff(MOST_WAIT_MS);
  const until = performance.now() + seconds * 1000;
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LanistaError) || !codes.includes(error.code) || performance.now() >= until) throw error;
      if (tries % 10 === 0) log.warn(`tried again: ${error.message}`);
    }
    await backoff.wait(signal);
    if (signal.aborted) throw new LanistaError("cancelled", "the worker ends");
  }
}
