/** For tests of ladders: an App on a database of its own, a space with a ladder, agents on it, and ends of matches. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { sha256 } from "@lanista/arena/sha256";
import { ReplayWriter } from "@lanista/games/replay-writer";
import { pino } from "pino";
import { v7 as uuid } from "uuid";
import type { App } from "../../app.ts";
import { loadConfig } from "../../config/config.ts";
import type { OutcomeRow } from "../../db/types.ts";
import { openEvents } from "../../events-postgres.ts";
import { endJob, failAttempt } from "../../jobs/finish.ts";
import type { JobKind } from "../../jobs/kinds.ts";
import { matchKind } from "../../jobs/match-kind.ts";
import type { MatchJobResult } from "../../jobs/payloads.ts";
import { inTransaction } from "../../jobs/transaction.ts";
import { validateKind } from "../../jobs/validate-kind.ts";
import { createMetrics } from "../../ops/metrics.ts";
import { openStore } from "../../store/open.ts";
import { testDatabase } from "../../testing/database.ts";
import { joinLadder } from "../join.ts";
import type { StoredRules } from "../rules.ts";

export const TEST_RULES: StoredRules = {
  env: "connect-four",
  options: {},
  seats: 2,
  episodes: 1,
  limits: {},
  actSeconds: 5,
  startSeconds: 30,
  matchSeconds: 600,
  queue: "default",
  tier: "container",
  placementMatches: 3,
  cooldownSeconds: 0,
  dailyMatches: 1000,
  agentsPerParticipant: 10,
  parallelMatches: 4,
  enoughSigma: 1.2,
};

export interface TestAgent {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  version: string;
}

export class LadderApp {
  readonly app: App;
  readonly space = uuid();
  readonly #close: () => Promise<void>;

  private constructor(app: App, close: () => Promise<void>) {
    this.app = app;
    this.#close = close;
  }

  static async open(): Promise<LadderApp> {
    const folder = await mkdtemp(join(tmpdir(), "lanista-ladder-"));
    const database = await testDatabase();
    const stop = new AbortController();
    const log = pino({ level: "silent" });
    const events = await openEvents({ url: database.url, log, stopping: stop.signal });
    const kinds = new Map<string, JobKind>([
      ["match", matchKind as unknown as JobKind],
      ["validate", validateKind as unknown as JobKind],
    ]);
    const app: App = {
      config: loadConfig({ cwd: folder }).config,
      database,
      db: database.db,
      events,
      store: await openStore("", folder),
      log,
      metrics: createMetrics(),
      kinds,
      stopping: stop.signal,
    };
    const made = new LadderApp(app, async () => {
      stop.abort();
      await events.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    });
    await app.db.insertInto("spaces").values({ id: made.space, slug: "space", title: "Space" }).execute();
    return made;
  }

  close(): Promise<void> {
    return this.#close();
  }

  async ladder(rules: Partial<StoredRules> = {}, more: { public?: boolean; slug?: string } = {}): Promise<string> {
    const id = uuid();
    await this.app.db
      .insertInto("ladders")
      .values({
        id,
        space_id: this.space,
        slug: more.slug ?? id,
        title: "Ladder",
        public: more.public ?? false,
        rules: JSON.stringify({ ...TEST_RULES, ...rules }),
      })
      .execute();
    return id;
  }

  async user(name: string): Promise<string> {
    const id = uuid();
    await this.app.db
      .insertInto("user")
      .values({ id, name, email: `${id}@example.org` })
      .execute();
    await this.app.db
      .insertInto("members")
      .values({ space_id: this.space, user_id: id, role: "participant" })
      .execute();
    return id;
  }

  /** With its first version on the ladder. */
  async agent(ladder: string, name: string, owner?: string): Promise<TestAgent> {
    const agent = { id: uuid(), owner: owner ?? (await this.user(`owner of ${name}`)), name, version: "" };
    await this.app.db
      .insertInto("agents")
      .values({ id: agent.id, space_id: this.space, owner_id: agent.owner, name: `${name} ${agent.id}` })
      .execute();
    await this.newVersion(ladder, agent);
    return agent;
  }

  async newVersion(ladder: string, agent: TestAgent): Promise<void> {
    const { db } = this.app;
    const digest = uuid().replaceAll("-", "").repeat(2);
    const version = uuid();
    await db.insertInto("bundles").values({ digest, size_bytes: 1 }).execute();
    const { count } = await db
      .selectFrom("agent_versions")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .where("agent_id", "=", agent.id)
      .executeTakeFirstOrThrow();
    await db
      .insertInto("agent_versions")
      .values({ id: version, agent_id: agent.id, number: count + 1, digest, size_bytes: 1, validation: "valid" })
      .execute();
    agent.version = version;
    await inTransaction(this.app, (tx) =>
      joinLadder(this.app, tx, { ladderId: ladder, agentId: agent.id, versionId: version }),
    );
  }

  /** The matches of a ladder that wait, oldest first, with the agents by seat. */
  async waiting(ladder: string): Promise<{ id: string; job: string; reason: string; agents: string[] }[]> {
    const rows = await this.app.db
      .selectFrom("matches as m")
      .innerJoin("match_seats as s", "s.match_id", "m.id")
      .select(["m.id", "m.job_id", "m.reason", "s.agent_id"])
      .where("m.ladder_id", "=", ladder)
      .where("m.state", "=", "waiting")
      .orderBy("m.id")
      .orderBy("s.seat")
      .execute();
    const matches = new Map<string, { id: string; job: string; reason: string; agents: string[] }>();
    for (const { id, job_id, reason, agent_id } of rows) {
      const match = matches.get(id) ?? { id, job: job_id, reason, agents: [] };
      matches.set(id, match);
      match.agents.push(agent_id ?? "");
    }
    return [...matches.values()];
  }

  /** Ends a job as a worker's report would. `ranks` by seat; none where the outcome has no scores. */
  async end(job: string, outcome: OutcomeRow, ranks: readonly number[], timedOutReplay?: string): Promise<void> {
    const replayBlob =
      timedOutReplay === undefined ? null : (await this.app.store.put(gzipSync(timedOutReplay))).digest;
    const result: MatchJobResult = {
      envVersion: 1,
      seats: ranks.map((rank, seat) => ({
        score: 1 - rank,
        rank,
        faults: outcome.seats?.includes(seat) ? 1 : 0,
        faultKinds: outcome.seats?.includes(seat) ? { [outcome.fault ?? "crash"]: 1 } : {},
        detail: "",
        digest: "",
        cpuSeconds: 0,
        peakMemoryBytes: 0,
      })),
      episodes: 1,
      steps: 10,
      replayHash: "",
      timedOut: timedOutReplay !== undefined,
      wallSeconds: 1,
      engine: "test",
      sandbox: null,
    };
    await inTransaction(this.app, async (tx) => {
      const row = await tx.selectFrom("jobs").selectAll().where("id", "=", job).forUpdate().executeTakeFirstOrThrow();
      await endJob(this.app, tx, row, { outcome, result, replayBlob });
    });
  }

  /** Of a match that was stopped after five moves of each seat; the others' took a millisecond. */
  slowReplay(seat: number, thinkMs: number): string {
    const writer = new ReplayWriter(
      {
        engine: "test",
        env: { id: "tic-tac-toe", version: 1, options: {} },
        seed: 1,
        chance: [1, 2],
        episodes: 1,
        onFault: "forfeit",
        seats: [0, 1].map((one) => ({ agent: `agent ${one}`, digest: "0".repeat(64) })),
        limits: { start: 30, move: 1, bank: 0 },
        sandbox: null,
      },
      sha256,
    );
    for (let step = 0; step < 10; step++) {
      const at = step % 2;
      const one = (value: number) => [0, 1].map((other) => (other === at ? value : null));
      writer.step({ actions: one(step % 9), thinkMs: one(at === seat ? thinkMs : 1) });
    }
    return writer.finish({ outcome: "cancelled", scores: [null, null], ranks: [null, null] }).text;
  }

  completed(job: string, ranks: readonly number[]): Promise<void> {
    return this.end(job, { kind: "completed" }, ranks);
  }

  /** Its last attempt ends in a fault of ours. */
  async die(job: string, seat?: number): Promise<void> {
    await inTransaction(this.app, async (tx) => {
      const row = await tx
        .updateTable("jobs")
        .set({ attempt: 3 })
        .where("id", "=", job)
        .returningAll()
        .executeTakeFirstOrThrow();
      if (seat !== undefined)
        await tx
          .insertInto("attempts")
          .values({
            job_id: job,
            number: 3,
            fence: 1,
            outcome: JSON.stringify({ kind: "infra_fault", seats: [seat] }),
          })
          .execute();
      await failAttempt(this.app, tx, row, { kind: "infra_fault", detail: "the runtime failed" });
    });
  }

  async row(ladder: string, agent: string) {
    return await this.app.db
      .selectFrom("ladder_agents")
      .selectAll()
      .where("ladder_id", "=", ladder)
      .where("agent_id", "=", agent)
      .executeTakeFirstOrThrow();
  }
}
