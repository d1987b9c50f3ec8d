import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Events } from "./events.ts";
import { openEvents } from "./events-postgres.ts";
import { type TestDatabase, testDatabase } from "./testing/database.ts";

const log = pino({ level: "silent" });
let database: TestDatabase;
let events: Events;
const stopping = new AbortController();
beforeAll(async () => {
  database = await testDatabase();
  events = await openEvents({ url: database.url, log, stopping: stopping.signal });
});
afterAll(async () => {
  await events.close();
  await database.close();
});

function heard(topic: string): { count: number; leave: () => void } {
  const state = { count: 0, leave: () => {} };
  state.leave = events.subscribe(topic, () => state.count++);
  return state;
}

test("an event is heard when its transaction commits, and never if it does not", async () => {
  const committed = heard("job:1");
  const undone = heard("job:2");
  await database.db.transaction().execute(async (tx) => {
    await events.publish(tx, "job:1", "job:1");
    await sleep(100);
    expect(committed.count).toBe(0);
  });
  await database.db
    .transaction()
    .execute(async (tx) => {
      await events.publish(tx, "job:2");
      throw new Error("undone");
    })
    .catch(() => {});
  await expect.poll(() => committed.count).toBe(1);
  await sleep(100);
  expect(undone.count).toBe(0);
  committed.leave();
  await events.publish(database.db, "job:1");
  await sleep(100);
  expect(committed.count).toBe(1);
});

test("after the line is cut it is made anew, and every listener is told to look", async () => {
  const one = heard("job:3");
  const { rows } = await sql<{ pid: number }>`
    SELECT pg_terminate_backend(pid), pid FROM pg_stat_activity
    WHERE application_name = 'lanista-events' AND datname = current_database()`.execute(database.db);
  expect(rows).toHaveLength(1);
  await expect.poll(() => one.count).toBe(1);
  await events.publish(database.db, "job:3");
  await expect.poll(() => one.count).toBe(2);
  one.leave();
});

/** How often `changes` yielded so far. */
function watch(everyMs: number): { count: number; stop(): Promise<void> } {
  const stopped = new AbortController();
  const state = { count: 0, stop: async () => {} };
  const watching = (async () => {
    for await (const _ of events.changes(["job:4", "job:5"], stopped.signal, everyMs)) state.count++;
  })();
  state.stop = async () => {
    stopped.abort();
    await watching;
  };
  return state;
}

test("changes yields at once and on an event; it ends with its signal", async () => {
  const seen = watch(60_000);
  await expect.poll(() => seen.count).toBe(1);
  await sleep(100);
  expect(seen.count).toBe(1);
  await events.publish(database.db, "job:5");
  await expect.poll(() => seen.count).toBe(2);
  await seen.stop();
});

test("changes yields after its time though nothing happens", async () => {
  const seen = watch(200);
  await expect.poll(() => seen.count).toBeGreaterThanOrEqual(3);
  await seen.stop();
});

test("an event that comes while the last one is looked at is not lost", async () => {
  const stop = new AbortController();
  let looks = 0;
  const watching = (async () => {
    for await (const _ of events.changes(["job:6"], stop.signal, 60_000)) {
      looks++;
      if (looks === 1) {
        await events.publish(database.db, "job:6");
        await sleep(200);
      } else stop.abort();
    }
  })();
  await watching;
  expect(looks).toBe(2);
});

test("changes ends when the server stops", async () => {
  const watching = (async () => {
    for await (const _ of events.changes(["job:7"], new AbortController().signal));
  })();
  await sleep(50);
  stopping.abort();
  await watching;
});
