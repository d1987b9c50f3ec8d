/** What the chaos is let loose on: jobs of every kind on a ladder, each end of a job written down, and what must be true of them. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipAgent } from "@lanista/arena/agents/zip-agent";
import { makeToken } from "@lanista/server/accounts/tokens";
import type { App } from "@lanista/server/app";
import { loadConfig } from "@lanista/server/config/config";
import { openDatabase } from "@lanista/server/db/database";
import type { Events } from "@lanista/server/events";
import { enqueue } from "@lanista/server/jobs/enqueue";
import { jobKinds } from "@lanista/server/kinds";
import { joinLadder } from "@lanista/server/ladder/join";
import { makeMatch, type SeatPlan } from "@lanista/server/ladder/make-match";
import type { StoredRules } from "@lanista/server/ladder/rules";
import { verifyLadder } from "@lanista/server/ladder/verify";
import { createMetrics } from "@lanista/server/ops/metrics";
import { openStore } from "@lanista/server/store/open";
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { FIRST, silent } from "./worker-world.ts";

const RULES: StoredRules = {
  env: "tic-tac-toe",
  options: {},
  seats: 2,
  episodes: 1,
  limits: {},
  actSeconds: 30,
  startSeconds: 60,
  matchSeconds: 120,
  queue: "default",
  tier: "container",
  placementMatches: 0,
  cooldownSeconds: 0,
  dailyMatches: 0,
  agentsPerParticipant: 10,
  // The matches are ours to make.
  parallelMatches: 0,
  enoughSigma: 1,
};
const CRASHER = `${FIRST}\nraise RuntimeError("by itself")\n`;

export interface Verdict {
  readonly jobs: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly attempts: number;
  readonly wrong: readonly string[];
}

export class ChaosJobs {
  readonly app: App;
  readonly #seats: SeatPlan[] = [];
  readonly #space = uuid();
  readonly #ladder = uuid();
  readonly #acknowledged = new Set<string>();

  private constructor(app: App) {
    this.app = app;
  }

  /** `url`: a database that a server has migrated. `store`: the folder of its blobs. */
  static async open(url: string, store: string, dir: string): Promise<ChaosJobs> {
    const database = openDatabase({ url, size: 3, onError: () => {} });
    const app: App = {
      config: loadConfig({ cwd: dir }).config,
      database,
      db: database.db,
      events: notifier,
      store: await openStore(store, dir),
      log: silent,
      metrics: createMetrics(),
      kinds: jobKinds(),
      stopping: new AbortController().signal,
    };
    const jobs = new ChaosJobs(app);
    await jobs.#prepare(dir);
    return jobs;
  }

  async #prepare(dir: string): Promise<void> {
    const { app } = this;
    const { db } = app;
    // Each end of a job, one row: a second one for the same job would be an effect done twice.
    await sql`CREATE TABLE chaos_ends (job_id uuid NOT NULL, outcome jsonb, at timestamptz DEFAULT now())`.execute(db);
    await sql`
      CREATE FUNCTION chaos_end() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO chaos_ends (job_id, outcome) VALUES (NEW.id, NEW.outcome); RETURN NULL; END $$`.execute(db);
    await sql`
      CREATE TRIGGER chaos_end AFTER UPDATE ON jobs FOR EACH ROW
      WHEN (NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL) EXECUTE FUNCTION chaos_end()`.execute(db);
    await db.insertInto("spaces").values({ id: this.#space, slug: "chaos", title: "Chaos" }).execute();
    const ladder = { id: this.#ladder, space_id: this.#space, slug: "chaos", title: "Chaos" };
    await db
      .insertInto("ladders")
      .values({ ...ladder, rules: JSON.stringify(RULES) })
      .execute();
    for (const [name, script] of [
      ["one", FIRST],
      ["two", `${FIRST}\n# two\n`],
      ["crasher", CRASHER],
    ] as const) {
      const path = join(dir, "agent.py");
      writeFileSync(path, script);
      const { digest, size } = await app.store.put(await zipAgent(path));
      const [userId, agentId, versionId] = [uuid(), uuid(), uuid()];
      await db
        .insertInto("user")
        .values({ id: userId, name, email: `${name}@example.org` })
        .execute();
      await db.insertInto("bundles").values({ digest, size_bytes: size }).execute();
      await db.insertInto("agents").values({ id: agentId, space_id: this.#space, owner_id: userId, name }).execute();
      const version = { id: versionId, agent_id: agentId, number: 1, digest, size_bytes: size } as const;
      await db
        .insertInto("agent_versions")
        .values({ ...version, validation: "valid" })
        .execute();
      await db.transaction().execute((tx) => joinLadder(app, tx, { ladderId: this.#ladder, agentId, versionId }));
      this.#seats.push({ agentId, versionId, name, digest });
    }
  }

  async token(): Promise<string> {
    const owner = { userId: null, createdBy: null, spaceId: null, queues: [], seconds: 86_400 };
    return (await makeToken(this.app.db, { name: "chaos", scope: "worker", ...owner })).secret;
  }

  /** One more; throws where the database is away, and then nobody knows whether it is there. */
  async add(number: number): Promise<void> {
    const { app } = this;
    const [one, two, crasher] = this.#seats;
    const id = await app.db.transaction().execute(async (tx) => {
      if (number % 3 !== 0) {
        const payload = { seconds: Math.random() * 2, end: "completed" };
        return (await enqueue(app, tx, { kind: "noop", payload, timeoutSeconds: 30, maxAttempts: 50 })).id;
      }
      const seats = number % 9 === 0 ? [one!, crasher!] : number % 2 === 0 ? [one!, two!] : [two!, one!];
      const order = {
        ladderId: this.#ladder,
        spaceId: this.#space,
        rules: RULES,
        reason: "ladder" as const,
        ownerId: null,
      };
      const match = await makeMatch(app, tx, { ...order, seats });
      const { job_id } = await tx
        .selectFrom("matches")
        .select("job_id")
        .where("id", "=", match)
        .executeTakeFirstOrThrow();
      await tx.updateTable("jobs").set({ max_attempts: 50 }).where("id", "=", job_id).execute();
      return job_id;
    });
    this.#acknowledged.add(id);
  }

  /** Jobs that are neither waiting for their turn nor under a lease that is good, for half a minute already. */
  async stuck(): Promise<readonly string[]> {
    const rows = await this.app.db
      .selectFrom("jobs")
      .select("id")
      .where("state", "=", "running")
      .where("lease_until", "<", sql<Date>`now() - interval '30 seconds'`)
      .execute();
    return rows.map((row) => row.id);
  }

  async unfinished(): Promise<number> {
    const states = this.app.db.selectFrom("jobs").where("state", "in", ["waiting", "running"]);
    const { count } = await states.select((eb) => eb.fn.countAll<number>().as("count")).executeTakeFirstOrThrow();
    return Number(count);
  }

  /** When all have ended. */
  async verdict(): Promise<Verdict> {
    const { db } = this.app;
    const wrong: string[] = [];
    const jobs = await db.selectFrom("jobs").selectAll().execute();
    const known = new Set(jobs.map((job) => job.id));
    for (const id of this.#acknowledged) if (!known.has(id)) wrong.push(`the job ${id} was taken in, and is lost`);
    const { rows: ends } = await sql<{ job_id: string; times: number }>`
      SELECT job_id, count(*)::int AS times FROM chaos_ends GROUP BY job_id`.execute(db);
    const times = new Map(ends.map((end) => [end.job_id, end.times]));
    const outcomes: Record<string, number> = {};
    for (const { id, kind, state, outcome, attempt } of jobs) {
      const said = `${kind} ${state} ${outcome?.kind ?? "without an outcome"}`;
      outcomes[said] = (outcomes[said] ?? 0) + 1;
      if (times.get(id) !== 1) wrong.push(`the job ${id} ended ${times.get(id) ?? 0} times`);
      if (state !== "ended" && state !== "dead") wrong.push(`the job ${id} is ${state}`);
      if (state === "dead")
        wrong.push(`the job ${id} was given up after ${attempt} attempts: ${JSON.stringify(outcome)}`);
    }
    wrong.push(...(await this.#wrongAttempts()), ...(await this.#wrongMatches()));
    const attempts = await db.selectFrom("attempts").select("job_id").execute();
    return { jobs: jobs.length, outcomes, attempts: attempts.length, wrong };
  }

  /** The last attempt says what the job says; the others failed by our doing; every one of them has ended. */
  async #wrongAttempts(): Promise<string[]> {
    const { rows } = await sql<{ id: string; what: string }>`
      SELECT j.id, 'attempt ' || a.number || ' says ' || coalesce(a.outcome::text, 'nothing') AS what
      FROM jobs j JOIN attempts a ON a.job_id = j.id
      WHERE CASE WHEN a.number = j.attempt THEN a.outcome->>'kind' IS DISTINCT FROM j.outcome->>'kind'
                 ELSE a.outcome->>'kind' IS DISTINCT FROM 'infra_fault' END
      UNION ALL
      SELECT j.id, 'has ' || count(a.number) || ' attempts of ' || j.attempt FROM jobs j LEFT JOIN attempts a ON a.job_id = j.id
      GROUP BY j.id HAVING count(a.number) <> j.attempt`.execute(this.app.db);
    return rows.map(({ id, what }) => `the job ${id}: ${what}`);
  }

  /** Each match told the truth, was rated once if it was somebody's to win, and never for a fault of ours. */
  async #wrongMatches(): Promise<string[]> {
    const { db } = this.app;
    const crasher = this.#seats[2]!.agentId;
    const { rows } = await sql<{ id: string; what: string }>`
      SELECT m.id, 'ended as ' || coalesce(m.outcome::text, 'nothing') AS what FROM matches m
      WHERE m.outcome->>'kind' <> 'infra_fault' AND m.outcome->>'kind' IS DISTINCT FROM
        CASE WHEN EXISTS (SELECT FROM match_seats s WHERE s.match_id = m.id AND s.agent_id = ${crasher})
             THEN 'agent_fault' ELSE 'completed' END
      UNION ALL
      SELECT m.id, 'blames ' || (m.outcome->'seats')::text FROM matches m
      WHERE m.outcome->>'kind' = 'agent_fault' AND m.outcome->'seats' <> '[1]'
      UNION ALL
      SELECT m.id, 'is ' || m.state || ' and was rated ' || count(l.number) || ' times'
      FROM matches m LEFT JOIN match_log l ON l.match_id = m.id GROUP BY m.id
      HAVING count(l.number) <> CASE WHEN m.outcome->>'kind' IN ('completed', 'agent_fault') THEN 1 ELSE 0 END
      UNION ALL
      SELECT m.id, 'has no replay' FROM matches m
      WHERE m.outcome->>'kind' IN ('completed', 'agent_fault') AND m.replay_blob IS NULL`.execute(db);
    const wrong = rows.map(({ id, what }) => `the match ${id} ${what}`);
    const ladder = await verifyLadder(db, this.#ladder);
    if (!ladder.equal) wrong.push(...ladder.differences);
    return wrong;
  }

  async close(): Promise<void> {
    await this.app.database.close();
  }
}

/** Tells servers by NOTIFY, and hears nothing. */
const notifier: Events = {
  async publish(db, ...topics) {
    for (const topic of topics) await sql`SELECT pg_notify('lanista', ${topic})`.execute(db);
  },
  announce(db, topics) {
    void notifier.publish(db, ...topics).catch(() => {});
  },
  subscribe: () => () => {},
  async *changes() {
    // Nothing is waited for here.
  },
  async close() {
    // Nothing was opened.
  },
};
