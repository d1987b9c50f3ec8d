/** For tests of the queue: the parts of a server it needs, real ones, on a database of their own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { type JobReport, JobReportSchema, WorkerHelloSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import { sql } from "kysely";
import { pino } from "pino";
import { v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import type { Caller } from "../auth/caller.ts";
import { loadConfig } from "../config/config.ts";
import type { ResourcesRow } from "../db/types.ts";
import { openEvents } from "../events-postgres.ts";
import { createMetrics } from "../ops/metrics.ts";
import { openStore } from "../store/open.ts";
import { testDatabase } from "../testing/database.ts";
import { type Claimer, claim } from "./claim.ts";
import { enqueue, type JobRequest } from "./enqueue.ts";
import type { JobEnd, JobKind, JobRow } from "./kinds.ts";
import { noopKind } from "./noop-kind.ts";
import { registerWorker } from "./workers.ts";

type Told = "started" | "revived" | "completed" | "agent_fault" | "infra_fault" | "cancelled" | "dead";

export interface Bench {
  readonly app: App;
  readonly space: string;
  /** What committed transactions told the kind `noop`. */
  told(jobId?: string): Promise<string[]>;
  user(name: string): Promise<string>;
  worker(options?: Partial<Omit<Claimer, "id">>): Promise<TestWorker>;
  enqueue(request?: Partial<JobRequest>): Promise<JobRow>;
  row(id: string): Promise<JobRow>;
  /** Lets time pass for this job: its lease, its pause or its patience is over. */
  lapse(id: string, what: "lease_until" | "attempt_until" | "not_before" | "wait_until"): Promise<void>;
  close(): Promise<void>;
}

export interface TestWorker extends Claimer {
  readonly caller: Caller;
  claim(slots?: number, free?: ResourcesRow): Promise<JobRow[]>;
}

const MUCH: Required<ResourcesRow> = { cpus: 64, memoryBytes: 2 ** 40, gpus: 0, vramBytes: 0 };

/** `flags` as in the configuration: `{ "lease.seconds": "2" }`. */
export async function bench(flags: Record<string, string> = {}, size = 30): Promise<Bench> {
  const database = await testDatabase();
  database.pool.options.max = size;
  const folder = mkdtempSync(join(tmpdir(), "lanista-jobs-"));
  const stopping = new AbortController();
  const log = pino({ level: process.env.LANISTA_TEST_LOG ?? "silent" });
  const events = await openEvents({ url: database.url, log, stopping: stopping.signal });
  await database.pool.query("CREATE TABLE told (n bigserial PRIMARY KEY, job uuid, what text)");
  const recording: JobKind = {
    ...(noopKind as JobKind),
    async started(_app, tx, job) {
      await tellOf(tx, job, "started");
    },
    async revived(_app, tx, job) {
      await tellOf(tx, job, "revived");
    },
    async ended(_app, tx, job, end: JobEnd<unknown>) {
      await tellOf(tx, job, end.dead ? "dead" : end.outcome.kind);
    },
  };
  const app: App = {
    config: loadConfig({ cwd: folder, flags }).config,
    database,
    db: database.db,
    events,
    store: await openStore("", folder),
    log,
    metrics: createMetrics(),
    kinds: new Map([["noop", recording]]),
    stopping: stopping.signal,
  };
  const space = uuid();
  await app.db.insertInto("spaces").values({ id: space, slug: "course", title: "A course" }).execute();
  return {
    app,
    space,
    async told(jobId) {
      const { rows } = await database.pool.query<{ what: string }>(
        "SELECT what FROM told WHERE $1::uuid IS NULL OR job = $1 ORDER BY n",
        [jobId ?? null],
      );
      return rows.map(({ what }) => what);
    },
    async user(name) {
      await app.db
        .insertInto("user")
        .values({ id: name, name, email: `${name}@example.org` })
        .execute();
      return name;
    },
    worker: (options = {}) => testWorker(app, options),
    enqueue: (request = {}) => app.db.transaction().execute((tx) => enqueue(app, tx, { ...NOOP, ...request })),
    row: (id) => app.db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirstOrThrow(),
    async lapse(id, what) {
      await database.pool.query(`UPDATE jobs SET ${what} = now() - interval '1 second' WHERE id = $1`, [id]);
    },
    async close() {
      stopping.abort();
      await events.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const NOOP = { kind: "noop", payload: { seconds: 0, end: "completed" }, timeoutSeconds: 60 } as const;

async function tellOf(tx: App["db"], job: JobRow, what: Told): Promise<void> {
  await sql`INSERT INTO told (job, what) VALUES (${job.id}, ${what})`.execute(tx);
}

async function testWorker(app: App, options: Partial<Omit<Claimer, "id">>): Promise<TestWorker> {
  const tokenId = uuid();
  await app.db
    .insertInto("tokens")
    .values({
      id: tokenId,
      name: "worker",
      prefix: "x",
      secret_hash: Buffer.from(tokenId),
      scope: "worker",
      expires_at: new Date(Date.now() + 86_400_000),
    })
    .execute();
  const caller: Caller = {
    name: `token:${tokenId}`,
    user: null,
    scopes: new Set(["worker"]),
    tokenId,
    spaceId: null,
    queues: [],
  };
  const claimer: Claimer = {
    id: uuid(),
    name: options.name ?? `worker-${tokenId.slice(-4)}`,
    kinds: options.kinds ?? ["noop"],
    tiers: options.tiers ?? ["container"],
    queues: options.queues ?? ["default"],
    tokenQueues: [],
    spaceId: null,
  };
  const total = { cpus: MUCH.cpus, memoryBytes: BigInt(MUCH.memoryBytes) };
  const hello = create(WorkerHelloSchema, {
    workerId: claimer.id,
    name: claimer.name,
    version: "1",
    queues: [...claimer.queues],
    kinds: [...claimer.kinds],
    concurrency: 10,
    total,
    tiers: claimer.tiers.map((tier) => ({ tier, runtime: "crun", version: "1" })),
  });
  await registerWorker(app, caller, hello);
  return { ...claimer, caller, claim: (slots = 1, free = MUCH) => claim(app, claimer, slots, free) };
}

export function reportOf(
  job: JobRow,
  kind = OutcomeKind.COMPLETED,
  more: Omit<MessageInitShape<typeof JobReportSchema>, "$typeName"> = {},
): JobReport {
  return create(JobReportSchema, {
    jobId: job.id,
    fence: BigInt(job.fence),
    outcome: { kind },
    resultJson: "{}",
    ...more,
  });
}
