/**
 * A worker takes jobs. One transaction: what may run is chosen in the fair order, locked past everybody else's choice
 * (SKIP LOCKED), and leased. docs/jobs.md says why it costs the same beside fifty thousand ended jobs, or behind ten thousand
 * of one participant who may not run more.
 */
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { ResourcesRow } from "../db/types.ts";
import {
  beyondQuery,
  type Candidate,
  classesQuery,
  classQuery,
  frontQuery,
  othersQuery,
  takeQuery,
  type Wanted,
  waitsQuery,
} from "./claim-sql.ts";
import { failAttempt } from "./finish.ts";
import type { JobRow } from "./kinds.ts";
import { knownKind } from "./known-kind.ts";
import { Limits, type QueueBound } from "./limits.ts";
import { inTransaction, tell } from "./transaction.ts";

export interface Claimer {
  readonly id: string;
  readonly name: string;
  readonly kinds: readonly string[];
  readonly tiers: readonly string[];
  /** Those it serves. */
  readonly queues: readonly string[];
  /** Those its token names; empty: all that are not another space's. */
  readonly tokenQueues: readonly string[];
  /** Where the token is good for one space only. */
  readonly spaceId: string | null;
}

/** How far into a queue a claim looks before it goes by classes. */
const WINDOW = 64;

/** At most `slots` jobs that fit into `free` together, leased to the worker; none where there is none. */
export async function claim(app: App, worker: Claimer, slots: number, free: ResourcesRow): Promise<JobRow[]> {
  const topics: string[] = [];
  const jobs = await inTransaction(app, async (tx) => {
    topics.length = 0;
    const queues = await openQueues(tx, worker);
    const limits = new Limits(tx, queues);
    await limits.lockQueues();
    const taken: JobRow[] = [];
    const left = { cpus: 0, memoryBytes: 0, gpus: 0, vramBytes: 0, ...free };
    for (const { name } of queues) {
      if (taken.length >= slots) break;
      taken.push(...(await new QueueClaim(app, tx, worker, limits, name, left).take(slots - taken.length)));
    }
    return await start(app, tx, taken, topics);
  });
  topics.push(...jobs.map((job) => `job:${job.id}`));
  const { seconds } = app.config.lease;
  for (const job of jobs) {
    const ready = Math.max(job.created_at.getTime(), job.not_before.getTime());
    app.metrics.jobs.leased(job.queue, (job.lease_until!.getTime() - ready) / 1000 - seconds);
  }
  tell(app, () => Promise.resolve(topics));
  return jobs;
}

/** The condition on a queue by which this worker may take from it. */
export const mayTake = ({ queues, tokenQueues, spaceId }: Pick<Claimer, "queues" | "tokenQueues" | "spaceId">) =>
  sql<boolean>`name = ANY(${queues}) AND (${spaceId}::uuid IS NULL OR space_id = ${spaceId}::uuid)
    AND CASE WHEN cardinality(${tokenQueues}::text[]) > 0 THEN name = ANY(${tokenQueues}::text[])
             ELSE space_id IS NOT DISTINCT FROM ${spaceId}::uuid END`;

/** Those in which anything waits, in any order: a worker of several queues serves all of them. */
async function openQueues(tx: Tx, worker: Claimer): Promise<QueueBound[]> {
  return await tx
    .selectFrom("queues")
    .select(["name", "max_running"])
    .where(mayTake(worker))
    .where("paused", "=", false)
    .where(waitsQuery)
    .orderBy(sql`random()`)
    .execute();
}

type Free = { cpus: number; memoryBytes: number; gpus: number; vramBytes: number };

class QueueClaim {
  readonly #app: App;
  readonly #tx: Tx;
  readonly #worker: Claimer;
  readonly #limits: Limits;
  readonly #queue: string;
  readonly #free: Free;
  readonly #except = new Set<string>();

  constructor(app: App, tx: Tx, worker: Claimer, limits: Limits, queue: string, free: Free) {
    this.#app = app;
    this.#tx = tx;
    this.#worker = worker;
    this.#limits = limits;
    this.#queue = queue;
    this.#free = free;
  }

  async take(slots: number): Promise<JobRow[]> {
    const most = Math.min(slots, this.#limits.room(this.#queue));
    const taken = await this.#fromFront(most);
    if (taken.length < most && (await this.#moreThan(WINDOW + most)))
      taken.push(...(await this.#byClasses(most - taken.length)));
    return taken;
  }

  async #fromFront(most: number): Promise<JobRow[]> {
    const taken: JobRow[] = [];
    while (taken.length < most) {
      const { rows } = await frontQuery(this.#wanted(), WINDOW + most, most - taken.length).execute(this.#tx);
      const leased = await this.#lease(rows);
      taken.push(...leased);
      // Fewer than asked for, and none of them kept back: there is no other.
      if (rows.length === leased.length) break;
    }
    return taken;
  }

  async #byClasses(most: number): Promise<JobRow[]> {
    const taken: JobRow[] = [];
    let { rows: classes } = await classesQuery(this.#wanted()).execute(this.#tx);
    // Round after round, so that no class has to wait for another's end.
    while (classes.length > 0 && taken.length < most) {
      const share = Math.max(1, Math.floor((most - taken.length) / classes.length));
      const going: typeof classes = [];
      for (const one of classes) {
        const want = Math.min(share, most - taken.length);
        if (want === 0) break;
        const { rows } = await classQuery(this.#wanted(), one.class, want).execute(this.#tx);
        taken.push(...(await this.#lease(rows)));
        // What was given and not leased is noted, and not given again.
        if (rows.length === want) going.push(one);
      }
      classes = going;
    }
    return taken;
  }

  /** Those of the candidates, in their order, that still fit and are within the bounds. Each call leases one or notes why not. */
  async #lease(candidates: readonly Candidate[]): Promise<JobRow[]> {
    await this.#leaveToOthers(candidates);
    const mine = candidates.filter((one) => !this.#except.has(one.id));
    await this.#limits.lockSpaces(mine);
    const ids = mine.filter((one) => this.#fits(one) && this.#admit(one)).map((one) => one.id);
    if (ids.length === 0) return [];
    const to = { id: this.#worker.id, name: this.#worker.name, leaseSeconds: this.#app.config.lease.seconds };
    return (await takeQuery(ids, to).execute(this.#tx)).rows;
  }

  async #leaveToOthers(candidates: readonly Candidate[]): Promise<void> {
    const failed = candidates.filter((one) => one.fresh_failure).map((one) => one.id);
    if (failed.length === 0) return;
    const { rows } = await othersQuery(failed, this.#worker.id, this.#app.config.lease.seconds).execute(this.#tx);
    for (const { id } of rows) this.#except.add(id);
  }

  #fits(one: Candidate): boolean {
    const free = this.#free;
    return one.cpus <= free.cpus && one.memory_bytes <= free.memoryBytes && one.gpus <= free.gpus;
  }

  #admit(one: Candidate): boolean {
    if (!this.#limits.admit(this.#queue, one)) return false;
    this.#free.cpus -= one.cpus;
    this.#free.memoryBytes -= one.memory_bytes;
    this.#free.gpus -= one.gpus;
    return true;
  }

  async #moreThan(window: number): Promise<boolean> {
    const { rows } = await beyondQuery(this.#queue, window).execute(this.#tx);
    return rows[0]?.beyond === true;
  }

  #wanted(): Wanted {
    return {
      queue: this.#queue,
      worker: this.#worker.id,
      kinds: this.#worker.kinds.filter((kind) => this.#app.kinds.has(kind)),
      tiers: this.#worker.tiers,
      ...this.#free,
      fullSpaces: [...this.#limits.fullSpaces],
      fullOwners: [...this.#limits.fullOwners],
      except: [...this.#except],
    };
  }
}

/** Tells the kinds. A job whose start its kind cannot take is no reason for the others to wait. */
async function start(app: App, tx: Tx, taken: readonly JobRow[], topics: string[]): Promise<JobRow[]> {
  const started: JobRow[] = [];
  for (const job of taken) {
    const kind = knownKind(app, job.kind);
    if (kind.started === undefined) {
      started.push(job);
      continue;
    }
    await sql`SAVEPOINT started`.execute(tx);
    try {
      await kind.started(app, tx, job);
      started.push(job);
    } catch (error) {
      app.log.error({ err: error, jobId: job.id, kind: job.kind }, "a job could not be started");
      await sql`ROLLBACK TO SAVEPOINT started`.execute(tx);
      const outcome = {
        kind: "infra_fault",
        fault: "start",
        detail: "the server could not start the attempt",
      } as const;
      topics.push(...(await failAttempt(app, tx, job, outcome)));
    }
    await sql`RELEASE SAVEPOINT started`.execute(tx);
  }
  return started;
}
