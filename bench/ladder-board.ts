/**
 * Reads of a leaderboard of 10,000 agents over HTTP, page after page, while the matchmaker's own look is timed beside it;
 * and the plans of both queries. On a server and an embedded PostgreSQL of its own. Prints JSON.
 */

import { randomUUID } from "node:crypto";
import { findCandidates, liveLineups } from "@lanista/server/ladder/candidates";
import { storedRules } from "@lanista/server/ladder/rules";
import { testServer } from "@lanista/server/testing/server";
import { type Figure, goal, percentile, type Report, short, spread } from "./lib/figures.ts";

const AGENTS = 10_000;
const LOGGED = 100_000;
const READS = 1000;
const WARM = 200;
const DIGEST = "0".repeat(64);

const server = await testServer();
try {
  const { db, pool } = server.database;
  const organiser = await server.person("organiser", { organiser: true });
  const space = randomUUID();
  await db.insertInto("spaces").values({ id: space, slug: "bench", title: "Bench" }).execute();
  await db.insertInto("members").values({ space_id: space, user_id: organiser.id, role: "organiser" }).execute();
  const { ladder } = await organiser.client.ladders.createLadder({
    space: "bench",
    slug: "board",
    title: "Board",
    public: true,
    rules: { env: "connect-four" },
  });
  // Frozen, so that no match is made of it meanwhile.
  await organiser.client.ladders.freezeLadder({ ladderId: ladder!.id, frozen: true });
  await pool.query(`INSERT INTO bundles (digest, size_bytes) VALUES ('${DIGEST}', 1)`);
  await pool.query(`INSERT INTO "user" (id, name, email) SELECT 'u' || i, 'User ' || i, i || '@example.org'
    FROM generate_series(1, ${AGENTS}) i`);
  await pool.query(`INSERT INTO agents (id, space_id, owner_id, name)
    SELECT gen_random_uuid(), '${space}', 'u' || i, 'Agent ' || i FROM generate_series(1, ${AGENTS}) i`);
  await pool.query(`INSERT INTO agent_versions (id, agent_id, number, digest, size_bytes)
    SELECT gen_random_uuid(), id, 1, '${DIGEST}', 1 FROM agents`);
  await pool.query(`INSERT INTO ladder_agents (ladder_id, agent_id, version_id, mu, sigma, matches, urgency)
    SELECT '${ladder!.id}', agent_id, id, 25 + 8 * random_normal(), 1 + random(), 20, 1 + random()
    FROM agent_versions`);
  // A long history behind it: no query may feel it.
  await pool.query(`WITH pairs AS (
      SELECT gen_random_uuid() AS job, gen_random_uuid() AS match, i FROM generate_series(1, ${LOGGED}) i
    ), made AS (
      INSERT INTO jobs (id, kind, queue, space_id, fair_key, class, payload, state, wait_until, timeout_seconds, outcome, ended_at)
      SELECT job, 'match', 'default', '${space}', 'bench', '', '{}', 'ended', now(), 600, '{"kind":"completed"}', now() FROM pairs
    )
    INSERT INTO matches (id, job_id, space_id, ladder_id, reason, env, seed, rated, state)
    SELECT match, job, '${space}', '${ladder!.id}', 'ladder', 'connect-four', 1, true, 'ended' FROM pairs`);
  await pool.query("VACUUM ANALYZE");

  const reads: number[] = [];
  const calls: number[] = [];
  let token = "";
  let cpu = 0;
  for (let read = 0; read < READS + WARM; read++) {
    const { user, system } = process.cpuUsage();
    const began = performance.now();
    const page = await organiser.client.ladders.getLeaderboard({ ladder: "bench/board", page: { token } });
    const took = performance.now() - began;
    const used = process.cpuUsage();
    const asked = performance.now();
    await organiser.client.tokens.whoAmI({});
    token = page.nextPageToken;
    if (read < WARM) continue;
    reads.push(took);
    calls.push(performance.now() - asked);
    cpu += (used.user + used.system - user - system) / 1000;
  }
  const rules = storedRules.parse((await db.selectFrom("ladders").select("rules").executeTakeFirstOrThrow()).rules);
  const looks: number[] = [];
  for (let look = 0; look < 100; look++) {
    const began = performance.now();
    await db.transaction().execute(async (tx) => {
      await findCandidates(tx, ladder!.id, rules, await liveLineups(tx, ladder!.id));
    });
    looks.push(performance.now() - began);
  }
  const plan = async (text: string): Promise<string[]> =>
    (
      await pool.query<{ "QUERY PLAN": string }>(
        `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ${text}`,
      )
    ).rows.map((row) => row["QUERY PLAN"]);
  const board = `SELECT * FROM ladder_agents WHERE ladder_id = '${ladder!.id}' AND active AND rating <= 20 AND (rating < 20 OR agent_id > '${randomUUID()}') ORDER BY rating DESC, agent_id LIMIT 101`;
  const candidates = `SELECT * FROM ladder_agents WHERE ladder_id = '${ladder!.id}' AND active AND (held_until IS NULL OR held_until <= now()) ORDER BY urgency DESC, agent_id LIMIT 128`;
  const live = `SELECT id FROM matches WHERE ladder_id = '${ladder!.id}' AND rated AND state IN ('waiting', 'running')`;
  const figures: Figure[] = [
    {
      what: `a page of a leaderboard of ${AGENTS} agents`,
      unit: "ms",
      values: { ours: spread(reads), "the smallest call": spread(calls) },
    },
    {
      what: "the same: p99",
      unit: "ms",
      values: { ours: spread([percentile(reads, 0.99)]), "the smallest call": spread([percentile(calls, 0.99)]) },
    },
    { what: "the matchmaker's look at it", unit: "ms", values: { ours: spread(looks) } },
  ];
  const report: Report = {
    benchmark: "ladder-board",
    figures,
    goals: [
      goal(
        "a page of a leaderboard of 10,000 agents, p99",
        percentile(reads, 0.99),
        "≤",
        20,
        (ms) => `${short(ms)} ms`,
      ),
    ],
    notes: [
      `behind ${LOGGED} played matches; client and server are one process; CPU ${short(cpu / READS)} ms a read`,
      ...(await plan(board)).map((line) => `board: ${line}`),
      ...(await plan(candidates)).map((line) => `candidates: ${line}`),
      ...(await plan(live)).map((line) => `live matches: ${line}`),
    ],
  };
  console.log(JSON.stringify(report));
} finally {
  await server.close();
}
