/**
 * A stream ends when who reads it loses what he was let in with: his token is revoked or runs out, he is locked, or his part
 * in a space changes. What he may still see he asks for anew.
 */
import type { Interceptor } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import type { App } from "../app.ts";
import { callerKey } from "../auth/caller.ts";
import { ACCOUNTS_CHANGED, type Callers } from "../auth/callers.ts";

/** Looked at so often at the least, for tokens that run out. */
const LOOK_MS = 30_000;

export function watchStanding(app: App, callers: Callers): Interceptor {
  return (next) => async (request) => {
    if (request.method.methodKind === "unary" || request.contextValues.get(callerKey).scopes.size === 0)
      return await next(request);
    const standing = await callers.standing(request.header);
    const response = await next(request);
    if (!response.stream) return response;
    return { ...response, message: whileStanding(app, callers, request.header, standing, response.message) };
  };
}

async function* whileStanding<T>(
  app: App,
  callers: Callers,
  header: Headers,
  standing: string,
  messages: AsyncIterable<T>,
): AsyncGenerator<T> {
  const over = new AbortController();
  let lost: unknown;
  let fail = (_error: unknown): void => {};
  void (async () => {
    for await (const _ of app.events.changes([ACCOUNTS_CHANGED], over.signal, LOOK_MS)) {
      lost = await callers.standing(header).then(
        (now) => (now === standing ? undefined : new LanistaError("aborted", "your rights changed: ask again")),
        // Without the database nothing is known of it, and nothing comes either.
        (error: unknown) => (error instanceof LanistaError ? error : undefined),
      );
      if (lost !== undefined) return fail(lost);
    }
  })().catch(() => {});
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const one = await new Promise<IteratorResult<T>>((resolve, reject) => {
        fail = reject;
        if (lost !== undefined) reject(lost);
        else iterator.next().then(resolve, reject);
      });
      if (one.done === true) return;
      yield one.value;
    }
  } finally {
    over.abort();
    // Not waited for: it may wait for its next message, and ends with the call.
    iterator.return?.().catch(() => {});
  }
}
