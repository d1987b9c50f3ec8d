/** The hot statements read by index, beside fifty thousand ended jobs and behind ten thousand waiting ones. */
import { type RawBuilder, sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { queuesQuery } from "../ops/job-metrics.ts";
import {
  beyondQuery,
  classesQuery,
  classQuery,
  frontQuery,
  runningInQueueQuery,
  runningInSpacesQuery,
} from "./claim-sql.ts";
import { nextTag } from "./enqueue.ts";
import { heldQuery, lapsedQuery, overdueQuery } from "./sweep.ts";
import { type Bench, bench } from "./testing.ts";
import { aheadQuery, lastEndedQuery } from "./waiting.ts";

const ENDED = 50_000;
const WAITING = 10_000;

let at: Bench;
beforeAll(async () => {
  at = await bench();
  const { pool } = at.app.database;
  const insert = (n: number, state: string, more: string, values: string): string => `
    INSERT INTO jobs (id, kind, queue, space_id, fair_key, fair_tag, class, state, payload, wait_until, timeout_seconds ${more})
    SELECT gen_random_uuid(), 'noop', 'default', '${at.space}', 'key' || i % 50, i, 'class' || i % 20, '${state}', '{}',
      now() + interval '1 day', 60 ${values} FROM generate_series(1, ${n}) i`;
  await pool.query(
    insert(ENDED, "ended", ", outcome, ended_at", `, '{"kind":"completed"}', now() - i * interval '1 second'`),
  );
  await pool.query(insert(WAITING, "waiting", "", ""));
  await pool.query(insert(20, "waiting", ", held, not_before", ", true, now() + interval '1 minute'"));
  await pool.query(
    insert(
      40,
      "running",
      ", worker_id, lease_until, attempt_until",
      ", gen_random_uuid(), now() + interval '1 minute', now() + interval '1 minute'",
    ),
  );
  await pool.query("ANALYZE");
});
afterAll(() => at.close());

interface Node {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Node[];
}

const WANTED = {
  queue: "default",
  worker: "01900000-0000-7000-8000-000000000000",
  kinds: ["noop"],
  tiers: ["container"],
  cpus: 1,
  memoryBytes: 1,
  gpus: 0,
  vramBytes: 0,
  fullSpaces: [],
  fullOwners: [],
  except: [],
};
const JOB = { id: WANTED.worker, queue: "default", priority: 0, fair_tag: 200 };

/** How `jobs` is read: by which indexes, and how many rows were looked at in all. */
async function readsOf(query: RawBuilder<unknown>): Promise<{ by: string[]; rows: number }> {
  const { rows } = await sql<{ "QUERY PLAN": { Plan: Node }[] }>`EXPLAIN (ANALYZE, FORMAT JSON) ${query}`.execute(
    at.app.db,
  );
  const by = new Set<string>();
  let looked = 0;
  const walk = (node: Node): void => {
    if (node["Relation Name"] === "jobs") {
      if (!node["Node Type"].startsWith("Bitmap Heap")) by.add(node["Index Name"] ?? node["Node Type"]);
      looked += (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"];
    } else if (node["Index Name"]?.startsWith("jobs_") === true) by.add(node["Index Name"]);
    node.Plans?.forEach(walk);
  };
  walk(rows[0]!["QUERY PLAN"][0]!.Plan);
  return { by: [...by].sort(), rows: looked };
}

/** Each: what it may read by, and how many rows it may look at. The tables hold sixty thousand. */
test.each<[string, RawBuilder<unknown>, string[], number]>([
  ["the claim's front", frontQuery(WANTED, 74, 10), ["jobs_claim", "jobs_pkey"], 200],
  ["whether there is more", beyondQuery("default", 74), ["jobs_claim"], 100],
  ["the classes that wait", classesQuery(WANTED), ["jobs_class"], 100],
  ["a class's first", classQuery(WANTED, "class7", 10), ["jobs_class"], 50],
  ["the fair tag", sql`SELECT ${nextTag("default", 0, "key7")} AS tag`, ["jobs_fair"], 5],
  ["what runs of a queue", runningInQueueQuery("default"), ["jobs_running"], 50],
  ["what runs of a space", runningInSpacesQuery(["01900000-0000-7000-8000-000000000001"]), ["jobs_live_space"], 50],
  ["the sweep's lapsed leases", lapsedQuery, ["jobs_running"], 50],
  ["the sweep's impatient", overdueQuery, ["jobs_wait_until"], 5],
  ["the sweep's pauses that are over", heldQuery, ["jobs_held"], 50],
  ["a place in the queue", aheadQuery(JOB), ["jobs_claim"], 500],
  ["the figures of the queues", queuesQuery, ["jobs_dead", "jobs_running", "jobs_wait_until"], WAITING + 100],
  ["the estimate", lastEndedQuery("default"), ["jobs_ended"], 110],
])("%s", async (_, query, by, most) => {
  const reads = await readsOf(query);
  expect(reads.by).toEqual(by);
  expect(reads.rows).toBeLessThanOrEqual(most);
});
