/** Finds the route of a request that is no RPC, and turns what it throws into an answer. */

import { LanistaError } from "@lanista/api/errors";
import type { Logger } from "pino";
import { ANONYMOUS, type Caller } from "../auth/caller.ts";
import type { Callers } from "../auth/callers.ts";
import { fromDatabase } from "../rpc/errors.ts";
import { RateLimitError, type RateLimits } from "../rpc/rate-limit.ts";
import { setHeader } from "./headers.ts";
import type { NodeHandlerFn, NodeServerRequest, NodeServerResponse } from "./node.ts";
import type { TrustedProxies } from "./request-context.ts";
import { type HttpRoute, sendError } from "./route.ts";

export interface RouterParts {
  readonly routes: readonly HttpRoute[];
  readonly callers: Callers;
  readonly limits: RateLimits;
  readonly proxies: TrustedProxies;
  readonly log: Logger;
}

export function createRouter(parts: RouterParts): NodeHandlerFn {
  return (request, response) => void serve(parts, request, response);
}

async function serve(parts: RouterParts, request: NodeServerRequest, response: NodeServerResponse): Promise<void> {
  const requestId = String(request.headers["x-request-id"] ?? "");
  const began = performance.now();
  const address = parts.proxies.clientOf(request);
  let served = "";
  try {
    await route(parts, request, response, { requestId, address, found: (path) => (served = path) });
  } catch (error) {
    const known = error instanceof LanistaError ? error : fromDatabase(error);
    if (known === null) parts.log.error({ err: error, requestId, path: pathOf(request) }, "a route failed");
    if (error instanceof RateLimitError)
      for (const [name, value] of Object.entries(error.headers)) setHeader(response, name, value);
    sendError(
      response,
      known ?? new LanistaError("internal", "a fault of the server's; it is in its log under the request's id"),
      requestId,
    );
  }
  const { method } = request;
  const ms = Math.round((performance.now() - began) * 10) / 10;
  // Not the path itself: it may be what opens a replay.
  parts.log.debug({ requestId, method, route: served, status: response.statusCode, ms, address }, "request");
}

const pathOf = (request: NodeServerRequest): string => (request.url ?? "").split("?", 1)[0] ?? "";

async function route(
  { routes, callers, limits }: RouterParts,
  request: NodeServerRequest,
  response: NodeServerResponse,
  at: { readonly requestId: string; readonly address: string; readonly found: (path: string) => void },
): Promise<void> {
  const target = request.url ?? "";
  if (!target.startsWith("/") || !URL.canParse(target, "http://localhost"))
    throw new LanistaError("invalid", "the request's target is no path");
  const url = new URL(`http://localhost${target}`);
  const found = routes.find(({ path }) =>
    path.endsWith("/") && path !== "/" ? url.pathname.startsWith(path) : url.pathname === path,
  );
  if (found === undefined) throw new LanistaError("not_found", "there is nothing at this address");
  at.found(found.path);
  if (!found.methods.includes(request.method ?? "")) {
    setHeader(response, "allow", found.methods.join(", "));
    throw new LanistaError("invalid", `only ${found.methods.join(", ")} is answered here`);
  }
  const { requestId, address } = at;
  const find = async (): Promise<Caller> => {
    const header = new Headers();
    for (const name of ["authorization", "cookie"] as const) {
      const value = request.headers[name];
      if (typeof value === "string") header.set(name, value);
    }
    try {
      return (await callers.find(header)).caller;
    } catch (error) {
      if (!(error instanceof LanistaError) || error.code !== "unauthenticated") throw error;
      await limits.refused(address);
      return ANONYMOUS;
    }
  };
  const caller = async (): Promise<Caller> => {
    const who = await find();
    for (const [name, value] of Object.entries((await limits.call(who, address)) ?? {}))
      setHeader(response, name, value);
    return who;
  };
  await found.handle({ request, response, url, address, requestId, caller });
}
