/**
 * What every call must pass before its body is read: who calls, whether not too often, and whether the method's `Access`
 * option lets him. So nobody without a right to call makes the server take in his bytes.
 */
import type { HandlerContext } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import type { App } from "../app.ts";
import { ANONYMOUS, type Caller, callerKey } from "../auth/caller.ts";
import type { Callers } from "../auth/callers.ts";
import { addressKey } from "../http/request-context.ts";
import { sameSite } from "../http/same-site.ts";
import { accessOf, checkAccess } from "./access.ts";
import { callFailed } from "./observe.ts";
import type { RateLimits } from "./rate-limit.ts";

export interface GateParts {
  readonly app: App;
  readonly callers: Callers;
  readonly limits: RateLimits;
}

/** Services whose methods carry no option of ours: who may call them is decided here. */
const OPEN_SERVICES = new Set(["grpc.health.v1.Health"]);
const EXECUTOR = "executor.Executor";

export function createGate(parts: GateParts): (context: HandlerContext) => Promise<void> {
  return async (context) => {
    const began = performance.now();
    try {
      await admit(parts, context);
    } catch (error) {
      const method = `${context.service.typeName}/${context.method.name}`;
      throw callFailed(parts.app, { method, values: context.values, began }, error);
    }
  };
}

async function admit({ app, callers, limits }: GateParts, context: HandlerContext): Promise<void> {
  const address = context.values.get(addressKey);
  const caller = await whoCalls(context, callers, limits, address, app);
  context.values.set(callerKey, caller);
  // The executor's bound is on matches (executor.maxWaiting), and its one caller is a whole site.
  const rate = context.service.typeName === EXECUTOR ? null : await limits.call(caller, address);
  for (const [name, value] of Object.entries(rate ?? {})) context.responseHeader.set(name, value);
  checkMethod(context, app, caller);
}

async function whoCalls(
  context: HandlerContext,
  callers: Callers,
  limits: RateLimits,
  address: string,
  app: App,
): Promise<Caller> {
  try {
    const { caller, byCookie } = await callers.find(context.requestHeader);
    if (byCookie && !sameSite(context.requestHeader, app.config.publicUrl))
      throw new LanistaError("forbidden", "a session's cookie is good for pages of this server only", {
        hint: "Programs send a token: `Authorization: Bearer TOKEN`.",
      });
    return caller;
  } catch (error) {
    if (!(error instanceof LanistaError) || error.code !== "unauthenticated") throw error;
    await limits.refused(address);
    // What is anybody's to call is so with a token that ran out, too.
    if (accessOf(context.method)?.public === true || OPEN_SERVICES.has(context.service.typeName)) return ANONYMOUS;
    throw error;
  }
}

function checkMethod({ service, method }: HandlerContext, app: App, caller: Caller): void {
  if (OPEN_SERVICES.has(service.typeName)) return;
  if (service.typeName !== EXECUTOR) {
    checkAccess(method, accessOf(method), caller);
    return;
  }
  if (!app.config.executor.requireToken || method.name === "HealthCheck" || caller.scopes.has("executor")) return;
  throw caller.scopes.size === 0
    ? new LanistaError("unauthenticated", "this call needs a token of scope executor")
    : new LanistaError("forbidden", "this call is for tokens of scope executor");
}
