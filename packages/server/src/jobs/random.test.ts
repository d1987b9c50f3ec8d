/** Random histories of many actors at once, and what must be true of them at every moment and at their end. */
import { create } from "@bufbuild/protobuf";
import { OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { HeartbeatRequestSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import { type Chance, SeededChance } from "@lanista/games/chance";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cancelJob, reviveJob } from "./cancel.ts";
import { heartbeat } from "./heartbeat.ts";
import type { JobRow } from "./kinds.ts";
import { report } from "./report.ts";
import { sweep } from "./sweep.ts";
import { type Bench, bench, reportOf, type TestWorker } from "./testing.ts";
import { ownWorker } from "./workers.ts";

let at: Bench;
beforeAll(async () => {
  at = await bench();
  for (const name of ["ada", "bob"]) await at.user(name);
});
afterAll(() => at.close());

/**
 * Of one snapshot. What a kind is told of a job, as letters: started, revived, completed, agent fault, x for cancelled,
 * infra fault, dead; each state has its grammar. An open attempt is the running job's, fences only grow, no bound is exceeded.
 */
const VIOLATIONS = `
  WITH stories AS (
    SELECT j.*, coalesce((SELECT string_agg(CASE what WHEN 'cancelled' THEN 'x' ELSE left(what, 1) END, '' ORDER BY n)
                          FROM told WHERE told.job = j.id), '') AS story FROM jobs j)
  SELECT id, state || ' ' || story AS what FROM stories WHERE story !~ CASE state
    WHEN 'waiting' THEN '^(sr|sdr)*$' WHEN 'running' THEN '^(sr|sdr)*s$'
    WHEN 'dead' THEN '^(sr|sdr)*sd$' ELSE '^(sr|sdr)*(s[cax]|[xi])$' END
  UNION ALL SELECT j.id, 'open attempts' FROM jobs j WHERE (j.state = 'running')::int <>
    (SELECT count(*) FROM attempts a WHERE a.job_id = j.id AND a.ended_at IS NULL)
  UNION ALL SELECT j.id, 'open attempt of another number' FROM jobs j JOIN attempts a ON a.job_id = j.id
    WHERE a.ended_at IS NULL AND (a.number <> j.attempt OR a.fence <> j.fence OR a.worker_id <> j.worker_id)
  UNION ALL SELECT id, 'attempts' FROM jobs j WHERE attempt > max_attempts
    OR attempt <> (SELECT count(*) FROM attempts a WHERE a.job_id = j.id)
  UNION ALL SELECT a.job_id, 'fences' FROM attempts a JOIN attempts b ON a.job_id = b.job_id AND a.number < b.number
    WHERE a.fence >= b.fence
  UNION ALL SELECT job_id, 'ended twice' FROM attempts
    WHERE outcome->>'kind' IN ('completed', 'agent_fault', 'cancelled') GROUP BY job_id HAVING count(*) > 1
  UNION ALL SELECT NULL, 'space bound' FROM jobs WHERE state = 'running' AND space_id IS NOT NULL HAVING count(*) > 5
  UNION ALL SELECT NULL, 'person bound' FROM jobs WHERE state = 'running' AND space_id IS NOT NULL
    GROUP BY owner_id HAVING count(*) > 3`;

class History {
  readonly jobs: string[] = [];
  /** What workers believe to have, long after it may have been taken from them. */
  readonly held: { worker: TestWorker; job: JobRow }[] = [];
  readonly accepted = new Map<string, string>();
}

async function act(chance: Chance, history: History, workers: readonly TestWorker[]): Promise<void> {
  const one = <T>(list: readonly T[]): T | undefined => list[chance.below(Math.max(1, list.length))];
  const worker = one(workers)!;
  const job = one(history.jobs);
  const held = one(history.held);
  const dice = chance.below(100);
  if (dice < 25 || job === undefined) {
    const place = chance.below(2) === 0 ? {} : { spaceId: at.space };
    const ownerId = one(["ada", "bob"])!;
    history.jobs.push((await at.enqueue({ ...place, ownerId, maxAttempts: 1 + chance.below(3) })).id);
  } else if (dice < 50)
    history.held.push(...(await worker.claim(1 + chance.below(4))).map((each) => ({ worker, job: each })));
  else if (dice < 72) {
    if (held === undefined) return;
    const kind = one([OutcomeKind.COMPLETED, OutcomeKind.AGENT_FAULT, OutcomeKind.INFRA_FAULT, OutcomeKind.CANCELLED])!;
    const { accepted } = await report(at.app, held.worker.id, reportOf(held.job, kind));
    const ends = { [OutcomeKind.COMPLETED]: "completed", [OutcomeKind.AGENT_FAULT]: "agent_fault" }[kind as 1 | 2];
    if (accepted && ends !== undefined) {
      expect(history.accepted.get(held.job.id) ?? ends).toBe(ends);
      history.accepted.set(held.job.id, ends);
    }
  } else if (dice < 80)
    await at.lapse(job, one(["lease_until", "attempt_until", "not_before", "wait_until"] as const)!).catch(() => {
      // What does not run has no lease that could be over: the table refuses it.
    });
  else if (dice < 90) await sweep(at.app);
  else if (dice < 94) await at.app.db.transaction().execute((tx) => cancelJob(at.app, tx, job, "random"));
  else if (dice < 97)
    await at.app.db
      .transaction()
      .execute((tx) => reviveJob(at.app, tx, job))
      .catch(() => {});
  else {
    const mine = history.held.filter((each) => each.worker === worker).slice(-20);
    const running = mine.map((each) => ({ jobId: each.job.id, fence: BigInt(each.job.fence) }));
    const row = await ownWorker(at.app.db, worker.caller, worker.id);
    await heartbeat(at.app, row, create(HeartbeatRequestSchema, { workerId: worker.id, running }));
  }
}

const SEEDS = (process.env.LANISTA_TEST_SEEDS ?? "1,2,3").split(",").map(Number);

test.each(SEEDS)("seed %i: nothing is lost, done twice, or over a bound", async (seed) => {
  const { pool } = at.app.database;
  await pool.query("TRUNCATE jobs, attempts, job_output, told, queue_clocks CASCADE");
  await pool.query("DELETE FROM workers");
  await pool.query("UPDATE spaces SET max_running = 5, max_running_per_participant = 3");
  const workers = await Promise.all(Array.from({ length: 4 }, () => at.worker()));
  const history = new History();
  const chance = SeededChance.fromSeed(seed);
  const violations = async (): Promise<unknown[]> => (await pool.query(VIOLATIONS)).rows;
  await Promise.all(
    Array.from({ length: 6 }, async (_, actor) => {
      const own = chance.split(actor);
      for (let step = 0; step < 120; step++) {
        await act(own, history, workers);
        if (step % 10 === actor) expect(await violations()).toEqual([]);
      }
    }),
  );
  expect(await violations()).toEqual([]);

  // Then all goes well: every job that is not set aside ends.
  for (let round = 0; round < 200; round++) {
    await pool.query("UPDATE jobs SET not_before = now() - interval '1 hour' WHERE state = 'waiting'");
    await pool.query("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE state = 'running'");
    await sweep(at.app);
    for (const worker of workers)
      for (const job of await worker.claim(5)) await report(at.app, worker.id, reportOf(job));
    const { rows } = await pool.query("SELECT FROM jobs WHERE state IN ('waiting', 'running')");
    if (rows.length === 0) break;
  }
  expect(await violations()).toEqual([]);
  const ends = await at.app.db.selectFrom("jobs").select(["id", "state", "outcome"]).execute();
  expect(ends.map(({ id }) => id).sort()).toEqual([...history.jobs].sort());
  expect(ends.filter(({ state }) => state !== "ended" && state !== "dead")).toEqual([]);
  for (const [id, kind] of history.accepted)
    expect(ends.find((row) => row.id === id)).toMatchObject({ state: "ended", outcome: { kind } });
  expect(history.accepted.size).toBeGreaterThan(10);
});
