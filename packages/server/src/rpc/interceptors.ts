/**
 * What every call passes through, outermost first:
 *
 *   observe    the log line, the figures, and errors made fit for the wire
 *   authorize  who calls, whether not too often, and whether the method's `Access` option lets him
 *   validate   the request against the rules in its schema
 *
 * The request's id and the client's address are found where HTTP is spoken (http/request-context.ts).
 */
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { Code, type ConnectError } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import type { App } from "../app.ts";
import { ANONYMOUS, callerKey, requestIdKey } from "../auth/caller.ts";
import type { Callers } from "../auth/callers.ts";
import { addressKey } from "../http/request-context.ts";
import { sameSite } from "../http/same-site.ts";
import { traceCalls } from "../ops/tracing.ts";
import { accessOf, checkAccess } from "./access.ts";
import { toWire } from "./errors.ts";
import { RateLimitError, type RateLimits } from "./rate-limit.ts";
import { createRequestCheck } from "./validation.ts";

export interface InterceptorParts {
  readonly app: App;
  readonly callers: Callers;
  readonly limits: RateLimits;
}

/** Services whose methods carry no option of ours: who may call them is decided here. */
const OPEN_SERVICES = new Set(["grpc.health.v1.Health"]);
const EXECUTOR = "executor.Executor";

export function createInterceptors(parts: InterceptorParts): Interceptor[] {
  return [
    traceCalls((request) => request.contextValues.get(requestIdKey)),
    observe(parts),
    authorize(parts),
    validate(),
  ];
}

function observe({ app }: InterceptorParts): Interceptor {
  const { log, metrics } = app;
  return (next) => async (request) => {
    const began = performance.now();
    const requestId = request.contextValues.get(requestIdKey);
    const method = `${request.service.typeName}/${request.method.name}`;
    const end = (error?: unknown): ConnectError | undefined => {
      const wire = error === undefined ? undefined : toWire(error, requestId);
      const milliseconds = performance.now() - began;
      const code = wire === undefined ? "ok" : Code[wire.error.code];
      metrics.call(method, code, milliseconds / 1000);
      const line = {
        requestId,
        method,
        code,
        ms: Math.round(milliseconds * 10) / 10,
        caller: request.contextValues.get(callerKey).name,
        address: request.contextValues.get(addressKey),
      };
      if (wire?.ours === true) log.error({ ...line, err: error }, "call failed by a fault of ours");
      else if (wire?.error.code === Code.Unavailable) log.warn({ ...line, why: wire.error.rawMessage }, "call");
      else log.debug(line, "call");
      return wire?.error;
    };
    try {
      const response = await next(request);
      if (!response.stream) {
        end();
        return response;
      }
      return { ...response, message: observed(response.message, metrics, end) };
    } catch (error) {
      const wire = end(error);
      if (error instanceof RateLimitError)
        for (const [name, value] of Object.entries(error.headers)) wire?.metadata.set(name, value);
      throw wire;
    }
  };
}

async function* observed<T>(
  messages: AsyncIterable<T>,
  metrics: App["metrics"],
  end: (error?: unknown) => ConnectError | undefined,
): AsyncGenerator<T> {
  metrics.streams(1);
  let told = false;
  try {
    yield* messages;
  } catch (error) {
    told = true;
    throw end(error ?? new Error("a stream failed without a reason"));
  } finally {
    metrics.streams(-1);
    if (!told) end();
  }
}

function authorize({ app, callers, limits }: InterceptorParts): Interceptor {
  return (next) => async (request) => {
    const address = request.contextValues.get(addressKey);
    const caller = await whoCalls(request, callers, limits, address, app);
    request.contextValues.set(callerKey, caller);
    const rate = await limits.call(caller, address);
    checkMethod(request, app, caller);
    const response = await next(request);
    for (const [name, value] of Object.entries(rate ?? {})) response.header.set(name, value);
    return response;
  };
}

async function whoCalls(
  request: UnaryRequest | StreamRequest,
  callers: Callers,
  limits: RateLimits,
  address: string,
  app: App,
) {
  try {
    const { caller, byCookie } = await callers.find(request.header);
    if (byCookie && !sameSite(request.header, app.config.publicUrl))
      throw new LanistaError("forbidden", "a session's cookie is good for pages of this server only", {
        hint: "Programs send a token: `Authorization: Bearer TOKEN`.",
      });
    return caller;
  } catch (error) {
    if (!(error instanceof LanistaError) || error.code !== "unauthenticated") throw error;
    await limits.refused(address);
    // What is anybody's to call is so with a token that ran out, too.
    if (accessOf(request.method)?.public === true || OPEN_SERVICES.has(request.service.typeName)) return ANONYMOUS;
    throw error;
  }
}

function checkMethod(request: UnaryRequest | StreamRequest, app: App, caller: typeof ANONYMOUS): void {
  const { typeName } = request.service;
  if (OPEN_SERVICES.has(typeName)) return;
  if (typeName !== EXECUTOR) {
    checkAccess(request.method, accessOf(request.method), caller);
    return;
  }
  if (!app.config.executor.requireToken || request.method.name === "HealthCheck" || caller.scopes.has("executor"))
    return;
  throw caller.scopes.size === 0
    ? new LanistaError("unauthenticated", "this call needs a token of scope executor")
    : new LanistaError("forbidden", "this call is for tokens of scope executor");
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
