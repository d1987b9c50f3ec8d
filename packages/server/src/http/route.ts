/** What is served beside the services: a prefix of paths, and what answers below it. */

import { Code } from "@connectrpc/connect";
import { ERROR_CODES, type LanistaError } from "@lanista/api/errors";
import type { Caller } from "../auth/caller.ts";
import { setHeader } from "./headers.ts";
import type { NodeServerRequest, NodeServerResponse } from "./node.ts";

export interface RouteRequest {
  readonly request: NodeServerRequest;
  readonly response: NodeServerResponse;
  readonly url: URL;
  readonly address: string;
  readonly requestId: string;
  /**
   * Who calls; anonymous where nothing good was brought. It counts as a call of his. Throws LanistaError `unavailable` without
   * the database, RateLimitError.
   */
  caller(): Promise<Caller>;
}

export interface HttpRoute {
  /** `/replays/`: all below it. Without a slash at its end: that very path. */
  readonly path: string;
  readonly methods: readonly string[];
  /** A LanistaError thrown becomes its HTTP status and a JSON body. */
  handle(request: RouteRequest): Promise<void>;
}

const STATUS: Readonly<Partial<Record<Code, number>>> = {
  [Code.InvalidArgument]: 400,
  [Code.OutOfRange]: 413,
  [Code.Unauthenticated]: 401,
  [Code.PermissionDenied]: 403,
  [Code.NotFound]: 404,
  [Code.FailedPrecondition]: 409,
  [Code.AlreadyExists]: 409,
  [Code.Aborted]: 409,
  [Code.ResourceExhausted]: 429,
  [Code.Canceled]: 499,
  [Code.Unavailable]: 503,
};

/** The same document as an RPC's error has, under the status that fits. */
export function sendError(response: NodeServerResponse, error: LanistaError, requestId: string): void {
  const { code, message, hint, field } = error;
  sendJson(response, STATUS[ERROR_CODES[code]] ?? 500, { code, message, hint, field, requestId });
}

export function sendJson(response: NodeServerResponse, status: number, body: unknown): void {
  send(response, status, "application/json; charset=utf-8", `${JSON.stringify(body)}\n`);
}

export function send(response: NodeServerResponse, status: number, type: string, body: string | Uint8Array): void {
  if (response.headersSent) return void response.destroy?.();
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  setHeader(response, "content-type", type);
  setHeader(response, "content-length", String(bytes.byteLength));
  response.statusCode = status;
  response.end(bytes);
}
