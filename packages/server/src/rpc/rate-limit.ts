/**
 * How many calls a caller may make: by token, by person, or by address where nobody is named. Counted in this process
 * alone: with several servers each allows as much. Machines' tokens are not counted; they are handed out one by one.
 */
import { LanistaError } from "@lanista/api/errors";
import ipaddr from "ipaddr.js";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { Caller } from "../auth/caller.ts";

const MINUTE = 60;

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
  readonly #signIns: RateLimiterMemory;

  constructor(perMinute: number, signInPerMinute: number) {
    this.#calls = new RateLimiterMemory({ points: perMinute, duration: MINUTE });
    this.#signIns = new RateLimiterMemory({ points: signInPerMinute, duration: MINUTE });
  }

  /**
   * A bad token came from there: that counts as a call of nobody's. Others behind the same address, with good tokens, do not
   * suffer from it. Throws RateLimitError.
   */
  async refused(address: string): Promise<void> {
    await take(this.#calls, `address ${network(address)}`);
  }

  /** Throws RateLimitError; gives the headers of the answer otherwise, none for machines. */
  async call(caller: Caller, address: string): Promise<RateHeaders | null> {
    if (caller.scopes.has("worker") || caller.scopes.has("executor")) return null;
    return await take(this.#calls, caller.user === null ? `address ${network(address)}` : `user ${caller.user.id}`);
  }

  /** An attempt to sign in, sign up, or set a password. Throws RateLimitError. */
  async signIn(address: string): Promise<RateHeaders> {
    return await take(this.#signIns, network(address));
  }
}

/** Of an IPv6 address the first 64 bits: the others are its holder's to choose, anew for each call if he likes. */
export function network(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  const parts = ipaddr.IPv6.parse(address).parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(":")}::/64`;
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
