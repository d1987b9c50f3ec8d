/**
 * Serves the services, as Connect's own adapter for Node does, but for two things: a request in protobuf that is none is
 * its sender's fault (Connect answers 500), and what fails while an answer is written goes to our log.
 */
import {
  type ConnectRouter,
  type ConnectRouterOptions,
  type ContextValues,
  createConnectRouter,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "pino";
import { z } from "zod";
import type { NodeHandlerFn, NodeServerRequest } from "./node.ts";

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
      .then(blameSender)
      .then((answer) => universalResponseToNodeResponse(answer, response))
      .catch((error: unknown) => log.debug({ err: error, method: handler.requestPath }, "an answer was not taken"));
  };
}

const parseFailure = z.looseObject({ code: z.literal("internal"), message: z.string().startsWith("parse binary: ") });

async function blameSender(answer: UniversalServerResponse): Promise<UniversalServerResponse> {
  if (answer.status !== 500 || answer.body === undefined) return answer;
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  const whole = Buffer.concat(pieces);
  const parsed = parseFailure.safeParse(parsedJson(whole));
  if (!parsed.success) return { ...answer, body: once(whole) };
  const body = Buffer.from(JSON.stringify({ ...parsed.data, code: "invalid_argument" }));
  const header = new Headers(answer.header);
  header.set("content-length", String(body.byteLength));
  return { ...answer, status: 400, header, body: once(body) };
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
