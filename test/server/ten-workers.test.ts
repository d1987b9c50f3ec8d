/** Ten workers and two servers on one PostgreSQL are one system: what is asked of one server is known, done and stopped by the other. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@lanista/api/client";
import { makeToken } from "@lanista/server/accounts/tokens";
import type { JobRow } from "@lanista/server/jobs/kinds";
import type { Server } from "@lanista/server/main";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FIRST, LEASE, startTestServer, WorkerWorld } from "./support/worker-world.ts";

const WORKERS = 10;
const JOBS = 200;
const store = mkdtempSync(join(tmpdir(), "lanista-store-"));
let world: WorkerWorld;
let other: Server;
beforeAll(async () => {
  const flags = { ...LEASE, "store.url": store };
  world = await WorkerWorld.open(flags);
  other = await startTestServer(world.database.url, flags);
  const ada = { id: "ada", name: "ada", email: "ada@example.org", administrator: true };
  await world.database.db.insertInto("user").values(ada).execute();
  for (let number = 0; number < WORKERS; number++)
    await world.worker({ name: `w${number}`, concurrency: 1, server: number % 2 === 0 ? world.url : other.urls.http });
});
afterAll(async () => {
  await world.stopAll();
  await other.close();
  await world.close();
  rmSync(store, { recursive: true, force: true });
});

async function administrator(server: Server) {
  const whose = { userId: "ada", createdBy: "ada", spaceId: null };
  const token = { name: "tests", scope: "administrator", ...whose, queues: [], seconds: 3600 } as const;
  const { secret } = await makeToken(server.app.db, token);
  return connect({ url: server.urls.http, token: secret });
}

test("each server knows all workers, and each job is done once by one of them", async () => {
  for (const server of [world.server, other]) {
    const client = await administrator(server);
    const live = async () => (await client.workers.listWorkers({})).workers.filter((worker) => worker.live).length;
    await expect.poll(live).toBe(WORKERS);
  }
  const jobs: JobRow[] = [];
  for (let number = 0; number < JOBS; number++) jobs.push(await world.noop(0.1));
  for (let number = 0; number < 4; number++) jobs.push(await world.match([FIRST, FIRST]));
  for (const { id } of jobs) await world.ended(id, 120_000);
  const { rows } = await sql<{ attempts: number; ended: number; workers: number }>`
    SELECT count(*)::int AS attempts, count(DISTINCT a.job_id)::int AS ended, count(DISTINCT a.worker_id)::int AS workers
    FROM attempts a JOIN jobs j ON j.id = a.job_id WHERE j.state = 'ended' AND j.outcome->>'kind' = 'completed'`.execute(
    world.database.db,
  );
  expect(rows).toEqual([{ attempts: jobs.length, ended: jobs.length, workers: WORKERS }]);
});

test("a cancel by the one server stops a job on a worker of the other", async () => {
  const long = [];
  for (let number = 0; number < WORKERS; number++) long.push(await world.noop(100));
  for (const { id } of long) await world.running(id);
  for (const server of [world.server, other]) {
    const client = await administrator(server);
    for (const { id } of long.splice(0, WORKERS / 2)) {
      await client.jobs.cancelJob({ jobId: id });
      expect((await world.ended(id)).outcome).toMatchObject({ kind: "cancelled" });
    }
  }
});
