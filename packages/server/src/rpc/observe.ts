/** How each call ended: the log line, the figures, and the error made fit for the wire. */
import { Code, type ConnectError, type ContextValues } from "@connectrpc/connect";
import type { App } from "../app.ts";
import { callerKey, requestIdKey } from "../auth/caller.ts";
import { addressKey } from "../http/request-context.ts";
import { toWire } from "./errors.ts";
import { RateLimitError } from "./rate-limit.ts";

export interface ObservedCall {
  /** `lanista.v1.JobService/GetJob`. */
  readonly method: string;
  readonly values: ContextValues;
  /** performance.now() then. */
  readonly began: number;
}

/** The call is over. */
export function callEnded({ log, metrics }: App, { method, values, began }: ObservedCall): void {
  const milliseconds = performance.now() - began;
  metrics.call(method, "ok", milliseconds / 1000);
  log.debug(lineOf(method, values, "ok", milliseconds), "call");
}

/** The same for one that failed: gives what it rejects with. */
export function callFailed(
  { log, metrics }: App,
  { method, values, began }: ObservedCall,
  error: unknown,
): ConnectError {
  const wire = toWire(error, values.get(requestIdKey));
  const milliseconds = performance.now() - began;
  const code = Code[wire.error.code];
  metrics.call(method, code, milliseconds / 1000);
  const line = lineOf(method, values, code, milliseconds);
  if (wire.ours) log.error({ ...line, err: error }, "call failed by a fault of ours");
  else if (wire.error.code === Code.Unavailable) log.warn({ ...line, why: wire.error.rawMessage }, "call");
  else log.debug(line, "call");
  if (error instanceof RateLimitError)
    for (const [name, value] of Object.entries(error.headers)) wire.error.metadata.set(name, value);
  return wire.error;
}

function lineOf(method: string, values: ContextValues, code: string, milliseconds: number) {
  return {
    requestId: values.get(requestIdKey),
    method,
    code,
    ms: Math.round(milliseconds * 10) / 10,
    caller: values.get(callerKey).name,
    address: values.get(addressKey),
  };
}
