/** Node's requests and answers of HTTP/1 and HTTP/2 alike, as Connect's adapter takes them. */
import type { connectNodeAdapter } from "@connectrpc/connect-node";

export type NodeHandlerFn = ReturnType<typeof connectNodeAdapter>;
export type NodeServerRequest = Parameters<NodeHandlerFn>[0];
export type NodeServerResponse = Parameters<NodeHandlerFn>[1];
