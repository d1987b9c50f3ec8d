/**
 * A match that the executor was asked for, as rows. The caller's own name of it makes a request safe to repeat: while the
 * match is on, the same request joins it; once it has ended as a result, the same request gets that result again; and what
 * ended in a fault of ours or was cancelled is played anew. What was asked is compared by its contents: the code's digests, not
 * its URLs. An image is compared as it was written: what a tag means is known by the engine of the worker that plays, and
 * stands, as the image's digest, in the seat's result and in the replay.
 */
import { createHash } from "node:crypto";
import { LanistaError } from "@lanista/api/errors";
import { MatchStatus } from "@lanista/api/gen/executor/executor_pb";
import { randomSeed } from "@lanista/arena/seeds";
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { recordBundle } from "../agents/bundles.ts";
import type { App } from "../app.ts";
import type { Db, Tx } from "../db/database.ts";
import type { ExecutorAgent } from "../db/types.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { type MatchPayload, matchPayload, matchResult } from "../jobs/payloads.ts";
import { inTransaction } from "../jobs/transaction.ts";
import { type EndedMatch, statusOf } from "./answer.ts";
import type { TakenCode } from "./take-code.ts";

export const QUEUE = "executor";
/** Seconds for which a match waits for a worker at most: who asked waits as well. */
const WAIT_SECONDS = 3600;
/** Seconds around a match's own: boxes are made, code is fetched, the replay is sent. */
const AROUND_SECONDS = 120;

export interface MatchOrder {
  /** As the audit log names it. */
  readonly caller: string;
  readonly externalId: string;
  readonly recordReplay: boolean;
  readonly agents: readonly (TakenCode & { readonly id: string; readonly version: string })[];
  /** Without what this file fills in. */
  readonly payload: Omit<MatchPayload, "seed" | "seats">;
  /** The root of agents that come as code; empty: the tier's own. */
  readonly image: string;
}

export interface OrderedMatch {
  readonly id: string;
  readonly jobId: string;
}

/** Throws LanistaError: `conflict` while another match has this name, `rate_limited` where too many wait. */
export async function orderMatch(app: App, order: MatchOrder): Promise<OrderedMatch> {
  const hash = requestHash(order);
  return await inTransaction(app, async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`executor ${order.caller} ${order.externalId}`}, 0))`.execute(
      tx,
    );
    return (await findMatch(tx, order, hash)) ?? (await newMatch(app, tx, order, hash));
  });
}

function requestHash({ payload, recordReplay, agents, image }: MatchOrder): Buffer {
  const wanted = [
    payload,
    recordReplay,
    image,
    agents.map(({ id, version, bundle, image: own, refused }) => [
      id,
      version,
      bundle?.digest ?? null,
      own ?? null,
      refused,
    ]),
  ];
  return createHash("sha256").update(JSON.stringify(wanted)).digest();
}

/** The match that this request already is; null where it is to be played. */
async function findMatch(tx: Tx, order: MatchOrder, hash: Buffer): Promise<OrderedMatch | null> {
  const last = await tx
    .selectFrom("executor_matches as e")
    .innerJoin("matches as m", "m.id", "e.match_id")
    .select(["m.id", "m.job_id", "m.state", "e.request_hash"])
    .where("e.caller", "=", order.caller)
    .where("e.external_id", "=", order.externalId)
    .orderBy("e.match_id", "desc")
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return null;
  const same = last.request_hash.equals(hash);
  const found = { id: last.id, jobId: last.job_id };
  if (last.state === "waiting" || last.state === "running") {
    if (same) return found;
    throw new LanistaError("conflict", `another match named ${JSON.stringify(order.externalId)} is being played`, {
      field: "match_id",
    });
  }
  const ended = same ? await readEnded(tx, last.id) : null;
  if (ended === null) return null;
  const status = statusOf(ended);
  return status === MatchStatus.STATUS_SUCCESS || status === MatchStatus.STATUS_TIMEOUT ? found : null;
}

async function newMatch(app: App, tx: Tx, order: MatchOrder, hash: Buffer): Promise<OrderedMatch> {
  await checkWaiting(app, tx);
  const { payload, agents } = order;
  // In one order: two matches of the same new agents, the seats turned, would wait for each other otherwise.
  const bundles = agents.flatMap(({ bundle }) => bundle ?? []).sort((a, b) => (a.digest < b.digest ? -1 : 1));
  for (const { digest, size } of bundles) await recordBundle(tx, digest, size);
  const seed = String(randomSeed());
  const { limits } = payload;
  const job = await enqueue(app, tx, {
    kind: "match",
    queue: QUEUE,
    fairKey: `executor ${order.caller}`,
    payload: {
      ...payload,
      seed,
      seats: agents.map(({ id, bundle, image }) => {
        const root = image ?? order.image;
        return {
          name: id,
          ...(bundle === undefined ? {} : { bundle: bundle.digest }),
          ...(root === "" ? {} : { image: root }),
        };
      }),
    } satisfies MatchPayload,
    needs: { memoryBytes: (limits.memoryBytes ?? 0) * agents.length },
    tier: payload.tier,
    waitSeconds: WAIT_SECONDS,
    timeoutSeconds: Math.ceil(payload.matchSeconds + payload.startSeconds) + AROUND_SECONDS,
  });
  const id = uuid();
  await tx
    .insertInto("matches")
    .values({
      id,
      job_id: job.id,
      reason: "executor",
      env: payload.env,
      options: JSON.stringify(payload.options),
      seed,
    })
    .execute();
  await tx
    .insertInto("match_seats")
    .values(agents.map((agent, seat) => ({ match_id: id, seat, name: agent.id })))
    .execute();
  const named = agents.map(({ id: agent_id, version, refused }): ExecutorAgent => ({ agent_id, version, refused }));
  await tx
    .insertInto("executor_matches")
    .values({
      match_id: id,
      caller: order.caller,
      external_id: order.externalId,
      request_hash: hash,
      record_replay: order.recordReplay,
      agents: JSON.stringify(named),
    })
    .execute();
  return { id, jobId: job.id };
}

/** Orders that may be counted at the same moment without seeing each other. */
const UNSEEN = 32;

async function checkWaiting(app: App, tx: Tx): Promise<void> {
  const { maxWaiting, maxConcurrent } = app.config.executor;
  const most = maxWaiting + maxConcurrent;
  let live = await liveMatches(tx, most);
  if (live < most && live >= most - UNSEEN) {
    // Close to the bound they are counted one after the other.
    await sql`SELECT pg_advisory_xact_lock(hashtextextended('executor orders', 0))`.execute(tx);
    live = await liveMatches(tx, most);
  }
  if (live >= most)
    throw new LanistaError("rate_limited", `${maxConcurrent} matches run and ${maxWaiting} wait already`, {
      hint: "Try again later.",
    });
}

/** Matches of the executor's that run or wait, counted up to a bound. */
async function liveMatches(db: Db | Tx, most: number): Promise<number> {
  const { rows } = await sql<{ live: number }>`
    SELECT count(*)::int AS live FROM (
      SELECT 1 FROM jobs WHERE queue = ${QUEUE} AND state = 'running'
      UNION ALL SELECT 1 FROM jobs WHERE queue = ${QUEUE} AND state = 'waiting'
      LIMIT ${most}) AS found`.execute(db);
  return rows[0]?.live ?? 0;
}

/** Matches of the executor's that are being played, on whatever server they were asked for. */
export async function activeMatches(db: Db): Promise<number> {
  const { active } = await db
    .selectFrom("jobs")
    .select((eb) => eb.fn.countAll<number>().as("active"))
    .where("queue", "=", QUEUE)
    .where("state", "=", "running")
    .where("kind", "=", "match")
    .executeTakeFirstOrThrow();
  return active;
}

/** null while the match waits or is played. */
export async function readEnded(db: Db | Tx, matchId: string): Promise<EndedMatch | null> {
  const row = await db
    .selectFrom("executor_matches as e")
    .innerJoin("matches as m", "m.id", "e.match_id")
    .innerJoin("jobs as j", "j.id", "m.job_id")
    .select([
      "e.external_id",
      "e.agents",
      "j.state",
      "j.outcome",
      "j.payload",
      "j.result",
      "j.started_at",
      "j.ended_at",
    ])
    .where("e.match_id", "=", matchId)
    .executeTakeFirstOrThrow();
  const { state, outcome, started_at: started, ended_at: ended } = row;
  if (state !== "ended" && state !== "dead") return null;
  const result = matchResult.safeParse(row.result);
  return {
    matchId: row.external_id,
    agents: row.agents,
    state,
    time: matchPayload.parse(row.payload),
    outcome: outcome ?? { kind: "infra_fault" },
    result: result.success ? result.data : null,
    seconds: started === null || ended === null ? 0 : (ended.getTime() - started.getTime()) / 1000,
  };
}

/** The executor's queue, with as many places as the configuration says. */
export async function ensureQueue(app: App): Promise<void> {
  const { maxConcurrent } = app.config.executor;
  await app.db
    .insertInto("queues")
    .values({ name: QUEUE, space_id: null, max_running: maxConcurrent, keep_free: JSON.stringify({}) })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ max_running: maxConcurrent }))
    .execute();
}
