/**
 * Theory of operation: docs/server.md. Here the parts are started in order and, at the end or when a start fails half-way,
 * released in reverse:
 *
 *   database ── events ── store ── services ── background ── HTTP, gRPC, metrics ── embedded worker
 *
 * An end that was asked for goes outside in: `/readyz` fails, for a while where balancers are to see it (`unreadySeconds`),
 * while all goes on; then streams end, the embedded worker finishes what it has
 * while the server still answers it, calls in flight finish, then the rest goes. All of it within bounds; what a SIGKILL
 * cuts off instead is found again in the database.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { LanistaError } from "@lanista/api/errors";
import type { Logger } from "pino";
import { createAccounts } from "./accounts/accounts.ts";
import { endAccess } from "./accounts/after-reset.ts";
import { claimInvitations } from "./accounts/claim-invitations.ts";
import { drawInitSecret } from "./accounts/first-administrator.ts";
import { createMailer } from "./accounts/mail.ts";
import { lastingSecret } from "./accounts/settings.ts";
import type { App } from "./app.ts";
import { Callers } from "./auth/callers.ts";
import { BACKGROUND } from "./background.ts";
import type { ServerConfig } from "./config/config.ts";
import { type Database, openDatabase } from "./db/database.ts";
import { startEmbedded } from "./db/embedded.ts";
import { migrate } from "./db/migrate.ts";
import { openEvents } from "./events-postgres.ts";
import { authRoute } from "./http/auth-route.ts";
import { confirmRoute } from "./http/confirm-route.ts";
import { setHeader, setSecurityHeaders } from "./http/headers.ts";
import { healthRoutes } from "./http/health-routes.ts";
import type { NodeHandlerFn } from "./http/node.ts";
import { Readiness } from "./http/readiness.ts";
import { contextOf, settleRequestId, TrustedProxies } from "./http/request-context.ts";
import { createRouter } from "./http/router.ts";
import { rpcHandler } from "./http/rpc-handler.ts";
import { type Listening, listenHttp, listenHttp2 } from "./http/servers.ts";
import { jobKinds } from "./kinds.ts";
import { addDatabaseGauges } from "./ops/job-metrics.ts";
import { createLog } from "./ops/log.ts";
import { createMetrics } from "./ops/metrics.ts";
import { metricsHandler } from "./ops/metrics-handler.ts";
import { startTracing } from "./ops/tracing.ts";
import { ReleaseStack } from "./release-stack.ts";
import { fromDatabase } from "./rpc/errors.ts";
import { createGate } from "./rpc/gate.ts";
import { createInterceptors } from "./rpc/interceptors.ts";
import { RateLimits } from "./rpc/rate-limit.ts";
import { registerGrpcServices, registerServices } from "./services/index.ts";
import type { ServiceParts } from "./services/parts.ts";
import { httpRoutes } from "./services/routes.ts";
import { openStore } from "./store/open.ts";
import { startEmbeddedWorker } from "./worker/spawn-embedded.ts";

export interface ServerOptions {
  /** What starts the `lanista` command, for the embedded worker; without it there is none. */
  readonly command?: readonly string[];
  readonly log?: Logger;
}

export interface Server {
  readonly app: App;
  readonly urls: { readonly http: string; readonly grpc: string | null; readonly metrics: string | null };
  /** The one-time token for `lanista admin init`; null where there is an administrator. */
  readonly initSecret: string | null;
  /** The embedded worker's process; undefined where there is none at the moment. */
  workerPid(): number | undefined;
  /** Drains and ends. Twice is once. */
  close(): Promise<void>;
}

/** An outside database may be started together with us. */
const DATABASE_WAIT_MS = 60_000;
const DATABASE_ASK_MS = 500;
/** Calls in flight, after the worker is done. */
const CALLS_MS = 10_000;

/** Throws LanistaError `unavailable`, `conflict` or `invalid` where a part cannot be started. */
export async function startServer(config: ServerConfig, options: ServerOptions = {}): Promise<Server> {
  const log = options.log ?? createLog(config);
  const stack = new ReleaseStack((what, error) => log.error({ err: error }, `${what} could not be ended well`));
  try {
    return await start(config, options, log, stack);
  } catch (error) {
    await stack.release();
    throw error;
  }
}

async function start(config: ServerConfig, options: ServerOptions, log: Logger, stack: ReleaseStack): Promise<Server> {
  if (config.otel.endpoint !== "") stack.add("tracing", await startTracing(config.otel.endpoint, "lanista-server"));
  const stopping = new AbortController();
  stack.add("stopping", () => stopping.abort());
  const { database, url } = await startDatabase(config, log, stack, stopping.signal);
  const { db } = database;
  const events = await openEvents({ url, log, stopping: stopping.signal });
  stack.add("events", () => events.close());
  const store = await openStore(config.store.url, config.dataDir);
  const metrics = createMetrics();
  addDatabaseGauges(metrics.registry, db);
  const kinds = jobKinds();
  const app: App = { config, database, db, events, store, log, metrics, kinds, stopping: stopping.signal };
  const accounts = createAccounts({
    db,
    log,
    secret: await lastingSecret(db, "accounts.secret"),
    mailer: createMailer(config),
    publicUrl: config.publicUrl === "" ? `http://localhost:${config.http.port}` : config.publicUrl,
    passwordReset: (userId) => endAccess(db, events, userId),
    emailConfirmed: (userId) => db.transaction().execute((tx) => claimInvitations(app, tx, userId)),
  });
  const callers = new Callers(db, accounts, events);
  stack.add("callers", () => callers.close());
  for (const part of BACKGROUND) {
    const end = await part.start(app);
    stack.add(part.name, () => {
      stopping.abort();
      return end();
    });
  }

  const limits = new RateLimits(config.limits.ratePerMinute, config.limits.signInPerMinute);
  const proxies = new TrustedProxies(config.http.trustedProxies);
  let bound = "";
  const publicUrl = (): string => (config.publicUrl === "" ? bound : config.publicUrl.replace(/\/+$/, ""));
  const readiness = new Readiness(app);
  const parts: ServiceParts = { app, accounts, callers, publicUrl, readiness };
  const routes = [
    ...healthRoutes(readiness),
    authRoute(app, accounts, limits),
    confirmRoute({ app, accounts, limits, publicUrl }),
    ...httpRoutes(parts),
  ];
  const fallback = createRouter({ routes, callers, limits, proxies, log });
  const adapter = (grpc: boolean): NodeHandlerFn =>
    rpcHandler({
      routes: (router) => {
        registerServices(router, parts);
        if (grpc) registerGrpcServices(router, parts);
      },
      requestGate: createGate({ app, callers, limits }),
      interceptors: createInterceptors(app, callers),
      fallback,
      log,
      contextValues: (request) => contextOf(request, proxies),
      readMaxBytes: config.limits.requestBytes,
      jsonOptions: { ignoreUnknownFields: false, alwaysEmitImplicit: true },
    });
  const secure = config.publicUrl.startsWith("https:");
  const settled =
    (inner: NodeHandlerFn): NodeHandlerFn =>
    (request, response) => {
      setHeader(response, "x-request-id", settleRequestId(request));
      setSecurityHeaders(response, secure);
      inner(request, response);
    };

  const sockets: Listening[] = [];
  const listen = async (listening: Promise<Listening>): Promise<string> => {
    const socket = await listening;
    sockets.push(socket);
    return socket.url;
  };
  stack.add("sockets", () => drain(sockets));
  const http = await listen(listenHttp(config.http, config.limits, settled(adapter(false))));
  bound = http;
  const grpc = config.grpc.enabled
    ? await listen(listenHttp2(config.grpc, config.limits, settled(adapter(true))))
    : null;
  const metricsUrl = config.metrics.enabled
    ? await listen(listenHttp(config.metrics, config.limits, metricsHandler(metrics)))
    : null;
  const initSecret = await drawInitSecret(db);
  const worker =
    config.worker.embedded && options.command !== undefined
      ? await startEmbeddedWorker(app, { command: options.command, serverUrl: http })
      : undefined;
  stack.add("embedded worker", async () => {
    stopping.abort();
    await worker?.stop(config.shutdownSeconds);
  });
  stack.add("readiness", async () => {
    readiness.leave();
    await sleep(config.unreadySeconds * 1000);
  });

  let closed: Promise<void> | undefined;
  return {
    app,
    urls: { http, grpc, metrics: metricsUrl },
    initSecret,
    workerPid: () => worker?.pid,
    close: () => (closed ??= stack.release()),
  };
}

async function startDatabase(
  config: ServerConfig,
  log: Logger,
  stack: ReleaseStack,
  stopping: AbortSignal,
): Promise<{ database: Database; url: string }> {
  let { databaseUrl: url } = config;
  if (url === "") {
    const embedded = await startEmbedded({ dataDir: config.dataDir, log });
    stack.add("PostgreSQL", () => embedded.stop());
    url = embedded.url;
  }
  const database = openDatabase({
    url,
    size: config.databasePool,
    onError: (error) => {
      if (!stopping.aborted) log.warn({ why: error.message }, "a connection to the database broke");
    },
  });
  stack.add("database", () => database.close());
  const patience = performance.now() + DATABASE_WAIT_MS;
  for (;;) {
    try {
      const applied = await migrate(database.pool);
      if (applied.length > 0) log.info({ applied }, "the database was brought to this version");
      return { database, url };
    } catch (error) {
      const known = fromDatabase(error);
      if (known?.code !== "unavailable" || performance.now() > patience)
        throw known?.code === "unavailable"
          ? new LanistaError("unavailable", `the database cannot be reached: ${(error as Error).message}`, {
              cause: error,
            })
          : error;
      log.warn({ why: (error as Error).message }, "the database is not there yet");
      await sleep(DATABASE_ASK_MS);
    }
  }
}

async function drain(sockets: readonly Listening[]): Promise<void> {
  const all = Promise.all(sockets.map((socket) => socket.drain()));
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, CALLS_MS);
  await all;
  clearTimeout(timer);
}
