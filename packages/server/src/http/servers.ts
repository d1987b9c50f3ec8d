/**
 * The listening sockets, and their bounds against clients that are slow, many, or idle. A connection over the bound is
 * closed at once: those there are go on being served.
 */
import { createServer, type RequestListener, type Server } from "node:http";
import { constants, createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { LanistaError } from "@lanista/api/errors";
import type { ServerConfig } from "../config/config.ts";
import type { NodeHandlerFn } from "./node.ts";

const HEADER_MS = 10_000;
const HEADER_BYTES = 16 * 1024;
/** Longer than a load balancer's usual minute: it is the one to close. */
const KEEP_ALIVE_MS = 75_000;
/** For a refused connection's other side to read why. */
const LAST_WORD_MS = 500;
const STREAMS_PER_SESSION = 256;
const SESSION_MEMORY_MB = 32;
const LAST_WORDS_MS = 300;
const IDLE_SESSION_MS = 300_000;
const RESETS_PER_SECOND = 100;

export interface Listening {
  readonly url: string;
  readonly port: number;
  /** Takes no more connections, closes idle ones, and resolves when the last is gone. */
  drain(): Promise<void>;
  /** Cuts what is left. */
  destroy(): void;
}

export type Limits = Pick<ServerConfig["limits"], "connections" | "requestSeconds">;

export async function listenHttp(
  at: { host: string; port: number },
  limits: Limits,
  handler: NodeHandlerFn,
): Promise<Listening> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: Math.min(HEADER_MS, limits.requestSeconds * 1000),
      requestTimeout: limits.requestSeconds * 1000,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
    },
    handler as RequestListener,
  );
  server.maxConnections = limits.connections;
  // Half a request and then silence is ended by the timeouts above; a client that does not even shake hands, by this.
  server.on("clientError", (_error, socket: Socket) => {
    if (!socket.writable) return void socket.destroy();
    socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
    // One that neither reads nor closes would keep its place for ever.
    setTimeout(() => socket.destroy(), LAST_WORD_MS).unref();
  });
  // Node takes a connection that has said nothing yet for a busy one: what is in flight is counted here. Whose first words are
  // on their way when the end is asked for is given a moment.
  let inFlight = 0;
  let draining = false;
  let patient = true;
  const closeIfQuiet = (): void => {
    if (draining && !patient && inFlight === 0) server.closeAllConnections();
  };
  server.prependListener("request", (_request, response) => {
    inFlight++;
    if (draining) response.setHeader("connection", "close");
    response.once("close", () => {
      inFlight--;
      closeIfQuiet();
    });
  });
  return await listen(server, at, {
    drain: () => {
      draining = true;
      server.closeIdleConnections();
      setTimeout(() => {
        patient = false;
        closeIfQuiet();
      }, LAST_WORDS_MS).unref();
    },
    destroy: () => server.closeAllConnections(),
  });
}

/** HTTP/2 without TLS, as gRPC's clients speak it. */
export async function listenHttp2(
  at: { host: string; port: number },
  limits: Limits,
  handler: NodeHandlerFn,
): Promise<Listening> {
  const server = createHttp2Server(
    {
      maxSessionMemory: SESSION_MEMORY_MB,
      streamResetBurst: 1_000,
      streamResetRate: RESETS_PER_SECOND,
      unknownProtocolTimeout: HEADER_MS,
      settings: { maxConcurrentStreams: STREAMS_PER_SESSION, maxHeaderListSize: HEADER_BYTES },
    },
    handler as Parameters<typeof createHttp2Server>[1],
  );
  server.maxConnections = limits.connections;
  const sessions = new Set<ServerHttp2Session>();
  let draining = false;
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
    session.setTimeout(IDLE_SESSION_MS, () => session.close());
    if (draining) session.close();
  });
  // HTTP/1 has requestTimeout for this; here each request's stream is given its time.
  server.on("stream", (stream) => {
    const late = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), limits.requestSeconds * 1000);
    const arrived = (): void => clearTimeout(late);
    stream.once("end", arrived);
    stream.once("close", arrived);
  });
  return await listen(server, at, {
    drain: () => {
      draining = true;
      for (const session of sessions) session.close();
    },
    destroy: () => {
      for (const session of sessions) session.destroy();
    },
  });
}

async function listen(
  server: Server | Http2Server,
  { host, port }: { host: string; port: number },
  ends: { drain(): void; destroy(): void },
): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new LanistaError("unavailable", `cannot listen on ${host}:${port}: ${error.message}`, {
          ...(error.code === "EADDRINUSE" ? { hint: "another program is on that port; choose another" } : {}),
          cause: error,
        }),
      ),
    );
    server.listen(port, host, () => resolve());
  });
  server.on("error", () => {});
  const bound = (server.address() as AddressInfo).port;
  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  let closed: Promise<void> | undefined;
  return {
    url: `http://${shown}:${bound}`,
    port: bound,
    drain() {
      closed ??= new Promise((resolve) => server.close(() => resolve()));
      ends.drain();
      return closed;
    },
    destroy: () => ends.destroy(),
  };
}
