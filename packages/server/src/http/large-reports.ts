/**
 * A worker's report may be much larger than any other request, and its body is read before anything else of the call is
 * looked at. So who would send one is asked for his token first, and refused by HTTP's own status, which every protocol's
 * clients understand.
 */
import { LanistaError } from "@lanista/api/errors";
import type { Callers } from "../auth/callers.ts";
import { fromDatabase } from "../rpc/errors.ts";
import type { NodeHandlerFn } from "./node.ts";
import { sendError } from "./route.ts";

const REPORT = "/lanista.v1.WorkerService/Report";

export function guardReports(callers: Callers, inner: NodeHandlerFn): NodeHandlerFn {
  return (request, response) => {
    if ((request.url ?? "").split("?", 1)[0] !== REPORT) return inner(request, response);
    const refuse = (error: unknown): void => {
      const known = error instanceof LanistaError ? error : fromDatabase(error);
      sendError(
        response,
        known ?? new LanistaError("internal", "a fault of the server's"),
        String(request.headers["x-request-id"] ?? ""),
      );
    };
    const { authorization } = request.headers;
    callers.find(new Headers(typeof authorization === "string" ? { authorization } : {})).then(({ caller }) => {
      if (caller.scopes.has("worker")) inner(request, response);
      else if (caller.scopes.size === 0)
        refuse(new LanistaError("unauthenticated", "this call needs a worker's token"));
      else refuse(new LanistaError("forbidden", "this call is for workers' tokens"));
    }, refuse);
  };
}
