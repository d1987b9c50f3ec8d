/**
 * Serves the services, as Connect's own adapter for Node does, but for three things: a request in protobuf that is none is
 * its sender's fault (Connect answers 500); what is too large is `too_large` and 413, as at every other address, whoever found
 * it out (Connect says of a message that there were too many, 429); and what fails while an answer is written goes to our log.
 */
import {
  type ConnectRouter,
  type ConnectRouterOptions,
  type ContextValues,
  createConnectRouter,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { LanistaError, toConnectError } from "@lanista/api/errors";
import type { Logger } from "pino";
import { z } from "zod";
import type { NodeHandlerFn, NodeServerRequest } from "./node.ts";

const TOO_LARGE = 413;

export interface RpcHandlerOptions extends ConnectRouterOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly fallback: NodeHandlerFn;
  readonly contextValues: (request: NodeServerRequest) => ContextValues;
  readonly log: Logger;
}

export function rpcHandler({ routes, fallback, contextValues, log, ...options }: RpcHandlerOptions): NodeHandlerFn {
  const router = createConnectRouter({ acceptCompression: [compressionGzip, compressionBrotli], ...options });
  routes(router);
  // Where a method was registered twice the later wins.
  const handlers = new Map<string, UniversalHandler>(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get((request.url ?? "").split("?", 1)[0] ?? "");
    if (handler === undefined) return fallback(request, response);
    handler(universalRequestFromNodeRequest(request, response, undefined, contextValues(request)))
      .then((answer) => mended(answer, String(request.headers["x-request-id"] ?? "")))
      .then((answer) => universalResponseToNodeResponse(answer, response))
      .catch((error: unknown) => log.debug({ err: error, method: handler.requestPath }, "an answer was not taken"));
  };
}

const refusal = z.looseObject({ code: z.string(), message: z.string(), details: z.array(z.unknown()).optional() });

async function mended(answer: UniversalServerResponse, requestId: string): Promise<UniversalServerResponse> {
  if (answer.body === undefined || !MENDED.has(answer.status)) return answer;
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  const whole = Buffer.concat(pieces);
  const found = refusal.safeParse(parsedJson(whole)).data;
  const better = found && inOurWords(found, requestId);
  if (better === undefined) return { ...answer, body: once(whole) };
  const body = Buffer.from(JSON.stringify(better.body));
  const header = new Headers(answer.header);
  header.set("content-length", String(body.byteLength));
  return { ...answer, status: better.status, header, body: once(body) };
}

/** Answers of these are looked into. */
const MENDED = new Set([400, 429, 500]);

function inOurWords(
  { code, message, details = [], ...rest }: z.infer<typeof refusal>,
  requestId: string,
): { status: number; body: unknown } | undefined {
  if (code === "internal" && message.startsWith("parse binary: "))
    return { status: 400, body: { ...rest, code: "invalid_argument", message } };
  if (code === "out_of_range") return { status: TOO_LARGE, body: { ...rest, code, message, details } };
  // Our own refusals of that code say more than the library's of a message's size.
  if (code !== "resource_exhausted" || details.length > 0) return undefined;
  const error = toConnectError(new LanistaError("too_large", message), requestId);
  return { status: TOO_LARGE, body: errorToJson(error, undefined) };
}

function parsedJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
