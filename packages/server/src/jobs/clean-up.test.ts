import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanUp } from "./clean-up.ts";
import { report } from "./report.ts";
import { type Bench, bench, reportOf } from "./testing.ts";

let at: Bench;
beforeAll(async () => {
  at = await bench();
});
afterAll(() => at.close());

test("what is old goes, in batches; what is young or in use stays", async () => {
  const { pool } = at.app.database;
  await pool.query(`INSERT INTO idempotency (caller, key, method, request_hash, response, created_at)
    SELECT 'user:ada', 'key' || i, 'm', '', '', now() - interval '25 hours' + (i > 2500)::int * interval '2 hours'
    FROM generate_series(1, 2510) i`);
  const worker = await at.worker();
  const gone = await at.worker();
  const jobs = [];
  for (let i = 0; i < 3; i++) {
    await at.enqueue();
    const [job] = await worker.claim();
    jobs.push(job!);
    await pool.query("INSERT INTO job_output VALUES ($1, 1, 0, -1, 'moves'), ($1, 1, 1, 0, 'log')", [job!.id]);
  }
  const [old, young, running] = jobs;
  for (const job of [old!, young!]) await report(at.app, worker.id, reportOf(job));
  await pool.query("UPDATE jobs SET ended_at = now() - interval '2 hours' WHERE id = $1", [old!.id]);
  await pool.query("UPDATE workers SET seen_at = now() - interval '8 days'");
  expect(await cleanUp(at.app)).toEqual({ answers: 2500, moves: 1, uploads: 0, workers: 1, blobs: 0 });
  expect(await cleanUp(at.app)).toEqual({ answers: 0, moves: 0, uploads: 0, workers: 0, blobs: 0 });
  const left = await at.app.db.selectFrom("job_output").select(["job_id", "seat"]).orderBy("job_id").execute();
  expect(left.filter(({ seat }) => seat === -1).map((row) => row.job_id)).toEqual([young!.id, running!.id]);
  expect(left.filter(({ seat }) => seat === 0)).toHaveLength(3);
  const workers = await at.app.db.selectFrom("workers").select("id").execute();
  expect(workers.map(({ id }) => id)).toEqual([worker.id]);
  expect(workers).not.toContainEqual({ id: gone.id });
});
