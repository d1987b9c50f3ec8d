/**
 * How many calls a caller may make: by token, by person, or by address where nobody is named. Counted in this process
 * alone: with several servers each allows as much. Machines' tokens are not counted; they are handed out one by one.
 */
import { LanistaError } from "@lanista/api/errors";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { Caller } from "../auth/caller.ts";

const MINUTE = 60;
/** Bad tokens of one address in a minute. No guess finds a token; this is for the log and the database. */
const REFUSALS = 120;

export interface RateHeaders {
  readonly "ratelimit-limit": string;
  readonly "ratelimit-remaining": string;
  readonly "ratelimit-reset": string;
}

export class RateLimitError extends LanistaError {
  readonly headers: RateHeaders & { readonly "retry-after": string };

  constructor(limit: number, seconds: number) {
    super("rate_limited", "too many requests", { hint: `Try again in ${seconds} s.` });
    this.headers = { ...headersOf(limit, 0, seconds), "retry-after": String(seconds) };
  }
}

export class RateLimits {
  readonly #calls: RateLimiterMemory;
  readonly #refusals: RateLimiterMemory;
  readonly #signIns: RateLimiterMemory;

  constructor(perMinute: number, signInPerMinute: number) {
    this.#calls = new RateLimiterMemory({ points: perMinute, duration: MINUTE });
    this.#refusals = new RateLimiterMemory({ points: REFUSALS, duration: MINUTE });
    this.#signIns = new RateLimiterMemory({ points: signInPerMinute, duration: MINUTE });
  }

  /** Before the caller is known. Throws RateLimitError while the address has brought too many bad tokens. */
  async before(address: string): Promise<void> {
    const state = await this.#refusals.get(address);
    if (state !== null && (state.consumedPoints ?? 0) > REFUSALS) throw over(this.#refusals, state);
  }

  /** A bad token came from there. */
  async refused(address: string): Promise<void> {
    await this.#refusals.penalty(address);
  }

  /** Throws RateLimitError; gives the headers of the answer otherwise, none for machines. */
  async call(caller: Caller, address: string): Promise<RateHeaders | null> {
    if (caller.scopes.has("worker") || caller.scopes.has("executor")) return null;
    return await take(this.#calls, caller.user === null ? `address ${address}` : `user ${caller.user.id}`);
  }

  /** An attempt to sign in, sign up, or set a password. Throws RateLimitError. */
  async signIn(address: string): Promise<RateHeaders> {
    return await take(this.#signIns, address);
  }
}

async function take(limiter: RateLimiterMemory, key: string): Promise<RateHeaders> {
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(key);
    return headersOf(limiter.points, remainingPoints, Math.ceil(msBeforeNext / 1000));
  } catch (error) {
    if (error instanceof RateLimiterRes) throw over(limiter, error);
    throw error;
  }
}

function over(limiter: RateLimiterMemory, state: RateLimiterRes): RateLimitError {
  return new RateLimitError(limiter.points, Math.max(1, Math.ceil(state.msBeforeNext / 1000)));
}

function headersOf(limit: number, remaining: number, seconds: number): RateHeaders {
  return {
    "ratelimit-limit": String(limit),
    "ratelimit-remaining": String(remaining),
    "ratelimit-reset": String(seconds),
  };
}
