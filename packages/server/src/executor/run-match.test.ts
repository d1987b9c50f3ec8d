import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { MatchRequestSchema } from "@lanista/api/gen/executor/executor_pb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type TestServer, testServer } from "../testing/server.ts";
import { createExecutor } from "./executor.ts";
import { runMatch } from "./run-match.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

/** Matches of that name, oldest first, and how their jobs stand; nobody plays them here. */
async function matches(name: string): Promise<{ job: string; state: string }[]> {
  return await server.app.db
    .selectFrom("executor_matches as e")
    .innerJoin("matches as m", "m.id", "e.match_id")
    .innerJoin("jobs as j", "j.id", "m.job_id")
    .select(["j.id as job", "j.state"])
    .where("e.external_id", "=", name)
    .orderBy("m.id")
    .execute();
}

it("a call that is made again while its predecessor is being cancelled has a match of its own", async () => {
  const { app } = server;
  const executor = createExecutor(app);
  const request = create(MatchRequestSchema, {
    matchId: "again",
    environment: "connect-four",
    agents: ["a", "b"].map((agentId) => ({ agentId, version: "1", dockerImage: "python:3.12" })),
  });
  const first = new AbortController();
  const second = new AbortController();
  const call = ({ signal }: AbortController) =>
    runMatch(executor, "backend", request, signal).then(
      () => "answered",
      () => "gone",
    );
  const calls = [call(first)];
  await expect.poll(() => matches("again")).toHaveLength(1);
  const [{ job }] = (await matches("again")) as [{ job: string; state: string }];
  await app.db.transaction().execute(async (tx) => {
    await tx.selectFrom("jobs").select("id").where("id", "=", job).forUpdate().execute();
    first.abort();
    for (;;) {
      const { rows } = await server.database.pool.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      if (rows.length > 0) break;
      await sleep(10);
    }
    calls.push(call(second));
    await expect.poll(() => executor.calls.waiting).toBe(1);
  });
  await expect
    .poll(async () => (await matches("again")).map(({ state }) => state), { timeout: 10_000 })
    .toEqual(["ended", "waiting"]);
  second.abort();
  expect(await Promise.all(calls)).toEqual(["gone", "gone"]);
  expect((await matches("again")).map(({ state }) => state)).toEqual(["ended", "ended"]);
});
