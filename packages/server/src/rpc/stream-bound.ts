/**
 * How many streams a person may have open at this server: each holds a connection and asks the database at every change, and
 * one that is not read holds its file. Machines' are not counted; their tokens are handed out one by one.
 */
import type { Interceptor } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import { callerKey } from "../auth/caller.ts";

export const MOST_STREAMS = 100;

/** Throws LanistaError `rate_limited` to who has as many already. */
export function boundStreams(most = MOST_STREAMS): Interceptor {
  const open = new Map<string, number>();
  return (next) => async (request) => {
    const { user } = request.contextValues.get(callerKey);
    if (request.method.methodKind === "unary" || user === null) return await next(request);
    const count = open.get(user.id) ?? 0;
    if (count >= most)
      throw new LanistaError("rate_limited", `you have ${count} streams open`, {
        hint: "End some of those that watch a job, a match or a log.",
      });
    open.set(user.id, count + 1);
    // The call's end, whether its messages were read or not.
    const ended = (): void => {
      const left = (open.get(user.id) ?? 1) - 1;
      if (left === 0) open.delete(user.id);
      else open.set(user.id, left);
    };
    if (request.signal.aborted) ended();
    else request.signal.addEventListener("abort", ended, { once: true });
    return await next(request);
  };
}
