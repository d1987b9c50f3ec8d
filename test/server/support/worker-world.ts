/**
 * A real server on a database of its own, real workers against it, in this process or as programs, and a way to queue jobs
 * and see what became of them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type LanistaClient } from "@lanista/api/client";
import { zipAgent } from "@lanista/arena/agents/zip-agent";
import { makeToken } from "@lanista/server/accounts/tokens";
import { loadConfig } from "@lanista/server/config/config";
import { enqueue, type JobRequest } from "@lanista/server/jobs/enqueue";
import type { JobRow } from "@lanista/server/jobs/kinds";
import type { MatchPayload } from "@lanista/server/jobs/payloads";
import { type Server, startServer } from "@lanista/server/main";
import { type TestDatabase, testDatabase } from "@lanista/server/testing/database";
import type { WorkerOptions } from "@lanista/server/worker/options";
import { type RunningWorker, startWorker } from "@lanista/server/worker/worker";
import { pino } from "pino";

const ROOT = join(import.meta.dirname, "../../..");
export const silent = pino({ level: process.env.LANISTA_TEST_LOG ?? "silent" }, pino.destination(2));

export type Flags = Readonly<Record<string, string>>;

/** Longer than a busy host keeps a heartbeat waiting. */
export const LEASE: Flags = { "lease.seconds": "15", "lease.heartbeatSeconds": "1" };
/** Short, so that its end can be waited for. */
export const SHORT_LEASE: Flags = { "lease.seconds": "8", "lease.heartbeatSeconds": "1" };

export class WorkerWorld {
  readonly dir = mkdtempSync(join(tmpdir(), "lanista-worker-"));
  readonly database: TestDatabase;
  readonly server: Server;
  readonly token: string;
  readonly #releases: (() => Promise<unknown>)[] = [];

  private constructor(database: TestDatabase, server: Server, token: string) {
    this.database = database;
    this.server = server;
    this.token = token;
  }

  static async open(flags: Flags = LEASE): Promise<WorkerWorld> {
    const database = await testDatabase();
    const server = await startTestServer(database.url, flags);
    return new WorkerWorld(database, server, await workerToken(server));
  }

  get url(): string {
    return this.server.urls.http;
  }

  /** Ended with the world. */
  async worker(more: Partial<WorkerOptions> = {}): Promise<RunningWorker> {
    const worker = await startWorker({
      server: this.url,
      token: this.token,
      log: silent,
      guestDir: join(ROOT, "guest"),
      version: "test",
      concurrency: 4,
      tiers: ["container"],
      ...more,
    });
    this.#releases.push(() => worker.stop());
    return worker;
  }

  /** A user with a token; `name` is his id as well. */
  async person(name: string, organiser: boolean): Promise<LanistaClient> {
    const { db } = this.database;
    await db
      .insertInto("user")
      .values({ id: name, name, email: `${name}@example.org`, organiser })
      .execute();
    const scope = organiser ? "organiser" : "participant";
    const whose = { userId: name, createdBy: name, spaceId: null };
    const { secret } = await makeToken(db, { name: "test", scope, ...whose, queues: [], seconds: 3600 });
    return connect({ url: this.url, token: secret });
  }

  /** `lanista worker`, as a process of its own. */
  program(...words: readonly string[]): ChildProcess {
    const child = spawnCommand(["worker", "--server", this.url, ...words], { LANISTA_TOKEN: this.token });
    this.#releases.push(() => killed(child));
    return child;
  }

  release(action: () => Promise<unknown>): void {
    this.#releases.push(action);
  }

  enqueue(request: Omit<JobRequest, "timeoutSeconds"> & { timeoutSeconds?: number }): Promise<JobRow> {
    const { app } = this.server;
    return app.db.transaction().execute((tx) => enqueue(app, tx, { timeoutSeconds: 120, ...request }));
  }

  noop(seconds = 0, more: Partial<JobRequest> = {}): Promise<JobRow> {
    return this.enqueue({ kind: "noop", payload: { seconds, end: "completed" }, ...more });
  }

  /** Agents are single files of Python. */
  async match(
    scripts: readonly string[],
    more: Partial<MatchPayload> = {},
    job: Partial<JobRequest> = {},
  ): Promise<JobRow> {
    const seats = [];
    for (const [seat, script] of scripts.entries())
      seats.push({ name: `agent ${seat}`, bundle: await this.bundle(script) });
    return this.enqueue({ kind: "match", payload: { ...MATCH, seats, ...more }, tier: "container", ...job });
  }

  async bundle(script: string): Promise<string> {
    const path = join(this.dir, "agent.py");
    writeFileSync(path, script);
    return (await this.server.app.store.put(await zipAgent(path))).digest;
  }

  async job(id: string): Promise<JobRow> {
    return await this.database.db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  }

  /** Polls until the job is as wanted. */
  async until(id: string, wanted: (job: JobRow) => boolean, ms = 25_000): Promise<JobRow> {
    const over = performance.now() + ms;
    for (;;) {
      const job = await this.job(id);
      if (wanted(job)) return job;
      if (performance.now() > over) throw new Error(`in ${ms} ms it did not come to that: ${JSON.stringify(job)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  ended(id: string, ms?: number): Promise<JobRow> {
    return this.until(id, (job) => job.state === "ended" || job.state === "dead", ms);
  }

  running(id: string): Promise<JobRow> {
    return this.until(id, (job) => job.state === "running");
  }

  attempts(id: string) {
    return this.database.db.selectFrom("attempts").selectAll().where("job_id", "=", id).orderBy("number").execute();
  }

  async output(id: string, seat: number): Promise<string> {
    const rows = await this.database.db
      .selectFrom("job_output")
      .select("text")
      .where("job_id", "=", id)
      .where("seat", "=", seat)
      .orderBy("attempt")
      .orderBy("seq")
      .execute();
    return rows.map((row) => row.text).join("");
  }

  /** Ends what was started in this world, the server apart. */
  async stopAll(): Promise<void> {
    for (const release of this.#releases.splice(0).reverse()) await release().catch(() => {});
  }

  async close(): Promise<void> {
    await this.stopAll();
    await this.server.close();
    await this.database.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const MATCH = {
  env: "tic-tac-toe",
  options: {},
  seed: "7",
  episodes: 1,
  onFault: "forfeit",
  forfeitAfter: 0,
  maxSteps: 0,
  tier: "container",
  limits: {},
  actSeconds: 10,
  startSeconds: 30,
  matchSeconds: 100,
  live: true,
} as const satisfies Omit<MatchPayload, "seats">;

export const FIRST = `
class Agent:
    def act(self, observation):
        return list(observation["action_mask"]).index(1)
`;

/** Takes its time for each move. */
export const slow = (seconds: number): string => `
import sys, time
class Agent:
    def act(self, observation):
        print("thinking", file=sys.stderr, flush=True)
        time.sleep(${seconds})
        return list(observation["action_mask"]).index(1)
`;

/** The first move is told long before the last one is made. */
export const PAUSES = `
import sys, time
class Agent:
    moves = 0
    def act(self, observation):
        print("thinking", file=sys.stderr, flush=True)
        self.moves += 1
        if self.moves == 2:
            time.sleep(6)
        return list(observation["action_mask"]).index(1)
`;

export async function startTestServer(databaseUrl: string, flags: Flags): Promise<Server> {
  const cwd = mkdtempSync(join(tmpdir(), "lanista-server-"));
  const { config } = loadConfig({
    cwd,
    flags: {
      databaseUrl,
      "http.port": "0",
      "grpc.enabled": "false",
      "metrics.enabled": "false",
      "worker.embedded": "false",
      shutdownSeconds: "1",
      ...flags,
    },
  });
  const server = await startServer(config, { log: silent });
  const close = async (): Promise<void> => {
    await server.close();
    rmSync(cwd, { recursive: true, force: true });
  };
  return { ...server, close };
}

export async function workerToken(server: Server): Promise<string> {
  const { secret } = await makeToken(server.app.db, {
    name: "tests",
    scope: "worker",
    userId: null,
    createdBy: null,
    spaceId: null,
    queues: [],
    seconds: 3600,
  });
  return secret;
}

/** The command from its sources. */
export function spawnCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  stdin: "ignore" | "pipe" = "ignore",
): ChildProcess {
  const main = join(ROOT, "packages/cli/src/main.ts");
  return spawn(process.execPath, ["--conditions=lanista-source", main, ...words], {
    stdio: [stdin, "inherit", process.env.LANISTA_TEST_LOG === undefined ? "ignore" : "inherit"],
    env: { ...process.env, ...env },
  });
}

export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
