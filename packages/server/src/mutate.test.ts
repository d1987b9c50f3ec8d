import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, expect, it } from "vitest";
import { inTransaction } from "./jobs/transaction.ts";
import { joinLadder } from "./ladder/join.ts";
import { type TestServer, testServer } from "./testing/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

it("a change that the database undoes for another's sake is made all the same", async () => {
  const { app } = server;
  const organiser = await server.person("organiser", { organiser: true });
  const { client } = organiser;
  const { space } = await client.spaces.createSpace({ slug: "course", title: "Course" });
  const rules = { env: "tic-tac-toe" };
  const { ladder } = await client.ladders.createLadder({ space: "course", slug: "one", title: "One", rules });
  const [agentId, versionId, digest] = [uuid(), uuid(), "a".repeat(64)];
  await app.db
    .insertInto("agents")
    .values({ id: agentId, space_id: space!.id, owner_id: organiser.id, name: "agent" })
    .execute();
  await app.db.insertInto("bundles").values({ digest, size_bytes: 1 }).execute();
  await app.db
    .insertInto("agent_versions")
    .values({ id: versionId, agent_id: agentId, number: 1, digest, size_bytes: 1 })
    .execute();
  await inTransaction(app, (tx) => joinLadder(app, tx, { ladderId: ladder!.id, agentId, versionId }));
  let changing: Promise<unknown> = Promise.resolve();
  await app.db.transaction().execute(async (tx) => {
    await tx.selectFrom("ladder_agents").select("mu").where("agent_id", "=", agentId).forUpdate().execute();
    changing = client.ladders.updateLadder({ ladderId: ladder!.id, rules: { ...rules, placementMatches: 9 } });
    changing.catch(() => {});
    for (;;) {
      const { rows } = await server.database.pool.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      if (rows.length > 0) break;
      await sleep(10);
    }
    // Each now waits for the other. Who looks first for a circle is undone: not this one.
    await sql`SET LOCAL deadlock_timeout = '1min'`.execute(tx);
    await tx.selectFrom("ladders").select("id").where("id", "=", ladder!.id).forNoKeyUpdate().execute();
  });
  await changing;
  expect((await client.ladders.getLadder({ ladder: ladder!.id })).ladder?.rules?.placementMatches).toBe(9);
});
