/** Calls of our server that are made again where it is away or asks for patience: all that an import changes it changes once. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, fromWire } from "@lanista/api/errors";

const LATER: readonly ErrorCode[] = ["unavailable", "rate_limited", "aborted"];
const WAITS_MS = [500, 1000, 2000, 4000, 8000, 15_000, 30_000];

/** Throws LanistaError. */
export async function patiently<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (error) {
      const known = fromWire(error);
      const wait = WAITS_MS[tries];
      if (wait === undefined || !LATER.includes(known.code)) throw known;
      await sleep(wait, undefined, { signal });
    }
  }
}

/** Of one thing alone; everything else ends the import. */
export const isAboutOne = (code: ErrorCode): boolean =>
  ["invalid", "not_found", "conflict", "exists", "too_large", "quota_exceeded"].includes(code);
