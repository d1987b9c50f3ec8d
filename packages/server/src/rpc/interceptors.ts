/**
 * What every call passes through once the gate (gate.ts) has let it in, outermost first:
 *
 *   trace     a span, where a collector is named
 *   observe   the log line, the figures, and errors made fit for the wire
 *   validate  the request against the rules in its schema
 *   bound     how many streams one person has open
 *   standing  ends a stream whose reader loses his rights
 *
 * The request's id and the client's address are found where HTTP is spoken (http/request-context.ts).
 */
import type { ConnectError, Interceptor } from "@connectrpc/connect";
import type { App } from "../app.ts";
import { requestIdKey } from "../auth/caller.ts";
import type { Callers } from "../auth/callers.ts";
import { traceCalls } from "../ops/tracing.ts";
import { callEnded, callFailed, type ObservedCall } from "./observe.ts";
import { watchStanding } from "./standing.ts";
import { boundStreams } from "./stream-bound.ts";
import { createRequestCheck } from "./validation.ts";

export function createInterceptors(app: App, callers: Callers): Interceptor[] {
  return [
    traceCalls((request) => request.contextValues.get(requestIdKey)),
    observe(app),
    validate(),
    boundStreams(),
    watchStanding(app, callers),
  ];
}

function observe(app: App): Interceptor {
  return (next) => async (request) => {
    const call: ObservedCall = {
      method: `${request.service.typeName}/${request.method.name}`,
      values: request.contextValues,
      began: performance.now(),
    };
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: observed(app, response.message, call) };
      callEnded(app, call);
      return response;
    } catch (error) {
      throw callFailed(app, call, error);
    }
  };
}

async function* observed<T>(app: App, messages: AsyncIterable<T>, call: ObservedCall): AsyncGenerator<T> {
  app.metrics.streams(1);
  let failure: ConnectError | undefined;
  try {
    yield* messages;
  } catch (error) {
    failure = callFailed(app, call, error);
    throw failure;
  } finally {
    app.metrics.streams(-1);
    if (failure === undefined) callEnded(app, call);
  }
}

function validate(): Interceptor {
  const check = createRequestCheck();
  return (next) => (request) => {
    if (!request.stream) {
      check(request.method.input, request.message);
      return next(request);
    }
    const { method, message } = request;
    async function* checked() {
      for await (const one of message) {
        check(method.input, one);
        yield one;
      }
    }
    return next({ ...request, message: checked() });
  };
}
