/**
 * The worker beside a server: `lanista worker` as a child process, with a token of its own. It is started again when it
 * ends, after a wait that grows while it keeps failing. It ends by itself when this process is gone: its standard input
 * ends then. Its token is renewed as long as the server lives, so one of a killed server's soon opens nothing.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { makeToken } from "../accounts/tokens.ts";
import type { App } from "../app.ts";
import { ACCOUNTS_CHANGED } from "../auth/callers.ts";
import { embeddedEnvironment } from "./embedded-environment.ts";
import { followQueues, openQueues } from "./follow-queues.ts";

const TOKEN_SECONDS = 86_400;
const RENEW_MS = 3_600_000;
const FIRST_MS = 500;
const MOST_MS = 30_000;
const STEADY_MS = 30_000;
/** After a hard stop is asked for, before it is enforced. */
const HARD_STOP_MS = 10_000;

export interface EmbeddedWorker {
  readonly pid: number | undefined;
  /** Lets it finish what it has, at most so long; revokes its token. */
  stop(seconds: number): Promise<void>;
}

export interface EmbeddedOptions {
  /** What starts the `lanista` command: `[node, …, main.ts]`. */
  readonly command: readonly string[];
  readonly serverUrl: string;
}

export async function startEmbeddedWorker(app: App, options: EmbeddedOptions): Promise<EmbeddedWorker> {
  const { row, secret } = await makeToken(app.db, {
    name: `embedded worker of ${hostname()}`.slice(0, 100),
    scope: "worker",
    userId: null,
    createdBy: null,
    spaceId: null,
    queues: app.config.worker.queues,
    seconds: TOKEN_SECONDS,
  });
  const renew = setInterval(() => {
    app.db
      .updateTable("tokens")
      .set({ expires_at: sql<Date>`now() + make_interval(secs => ${TOKEN_SECONDS})` })
      .where("id", "=", row.id)
      .execute()
      .catch((error: unknown) => app.log.warn({ err: error }, "the embedded worker's token could not be renewed"));
  }, RENEW_MS);
  renew.unref();

  const [program, ...before] = options.command;
  if (program === undefined) throw new Error("an embedded worker needs a command");
  const ends = new AbortController();
  let child: ChildProcess | undefined;
  const keep = async (): Promise<void> => {
    let delay = FIRST_MS;
    while (!ends.signal.aborted) {
      const since = performance.now();
      const queues = await queuesOf(app);
      if (ends.signal.aborted) return;
      child = launch(
        program,
        [...before, ...workerArguments(app, options.serverUrl, queues)],
        embeddedEnvironment(process.env, secret, app.config.otel.endpoint, app.config.worker.packages),
      );
      const end = await ended(child);
      if (ends.signal.aborted) return;
      if (performance.now() - since > STEADY_MS) delay = FIRST_MS;
      app.log.warn({ end }, `the embedded worker ended; it is started again in ${delay} ms`);
      await sleep(delay, undefined, { signal: ends.signal }).catch(() => {});
      delay = Math.min(delay * 2, MOST_MS);
    }
  };
  const kept = keep();
  const followed = app.config.worker.queues.length > 0 ? undefined : followQueues(app, row.id, ends.signal);

  return {
    get pid() {
      return child?.pid;
    },
    async stop(seconds) {
      ends.abort();
      clearInterval(renew);
      child?.kill("SIGTERM");
      const hard = setTimeout(() => child?.kill("SIGTERM"), seconds * 1000);
      const kill = setTimeout(() => child?.kill("SIGKILL"), seconds * 1000 + HARD_STOP_MS);
      await kept;
      await followed;
      clearTimeout(hard);
      clearTimeout(kill);
      await app.db.transaction().execute(async (tx) => {
        await tx.updateTable("tokens").set({ revoked_at: sql<Date>`now()` }).where("id", "=", row.id).execute();
        await app.events.publish(tx, ACCOUNTS_CHANGED);
      });
    },
  };
}

/** Where none are named, all that are no space's own: as they are now, and later as follow-queues.ts finds them. */
async function queuesOf(app: App): Promise<readonly string[]> {
  if (app.config.worker.queues.length > 0) return app.config.worker.queues;
  try {
    return await openQueues(app);
  } catch (error) {
    app.log.warn({ err: error }, "the embedded worker's queues could not be read");
    return [];
  }
}

function workerArguments({ config }: App, serverUrl: string, queues: readonly string[]): readonly string[] {
  const { concurrency, tier, giveUp, gpus, image, cacheBytes } = config.worker;
  return [
    "worker",
    "--with-parent",
    "--server",
    serverUrl,
    "--name",
    `embedded-${hostname()}`.slice(0, 100),
    "--concurrency",
    String(concurrency > 0 ? concurrency : availableParallelism()),
    ...queues.flatMap((queue) => ["--queue", queue]),
    // Of itself a worker offers every tier that works, but not the one without walls.
    ...(tier === "none" ? ["none", "container", "gvisor", "docker"].flatMap((each) => ["--tier", each]) : []),
    ...(giveUp.length > 0 ? ["--give-up", giveUp.join(",")] : []),
    ...gpus.flatMap((gpu) => ["--gpu", gpu]),
    ...(image === "" ? [] : ["--image", image]),
    "--cache-dir",
    join(config.dataDir, "worker-cache"),
    "--cache-size",
    String(cacheBytes),
    "--drain-seconds",
    String(config.shutdownSeconds),
    "--log-level",
    config.log.level,
  ];
}

function launch(program: string, parameters: readonly string[], env: Readonly<NodeJS.ProcessEnv>): ChildProcess {
  return spawn(program, parameters, {
    // A pipe that nobody writes to: it ends with us.
    stdio: ["pipe", "inherit", "inherit"],
    env,
  });
}

async function ended(child: ChildProcess): Promise<string> {
  return await new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `code ${code}`));
  });
}
