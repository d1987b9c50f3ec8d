import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { attend } from "../jobs/attend.ts";
import { claim } from "../jobs/claim.ts";
import { type Bench, bench } from "../jobs/testing.ts";
import { claimerOf, ownWorker } from "../jobs/workers.ts";
import { followQueues } from "./follow-queues.ts";

let at: Bench;
beforeAll(async () => {
  at = await bench();
});
afterAll(() => at.close());

test("a queue that is made later is served as well, one of a space's own is not, and its jobs wake the worker", async () => {
  const { app, space } = at;
  const worker = await at.worker();
  const other = await at.worker();
  const stop = new AbortController();
  const row = () => ownWorker(app.db, worker.caller, worker.id);
  let wakes = 0;
  const line = (async () => {
    for await (const { command } of attend(app, await row(), stop.signal)) if (command?.case === "wake") wakes++;
  })();
  const following = followQueues(app, worker.caller.tokenId!, stop.signal);
  try {
    await app.db
      .insertInto("queues")
      .values([
        { name: "later", keep_free: "{}" },
        { name: "own", keep_free: "{}", space_id: space },
      ])
      .execute();
    await app.events.publish(app.db, "queues");
    await vi.waitFor(async () => expect((await row()).queues).toContain("later"), { timeout: 20_000 });
    expect((await row()).queues).not.toContain("own");
    expect((await ownWorker(app.db, other.caller, other.id)).queues).toEqual(["default"]);
    // Its line hears of them by now.
    await vi.waitFor(() => expect(wakes).toBeGreaterThanOrEqual(2), { timeout: 20_000 });
    await vi.waitFor(
      async () => {
        const before = wakes;
        await at.enqueue({ queue: "later" });
        await vi.waitFor(() => expect(wakes).toBeGreaterThan(before), { timeout: 2000 });
      },
      { timeout: 20_000 },
    );
    const free = { cpus: 1, memoryBytes: 2 ** 30 };
    const [job] = await claim(app, claimerOf(await row(), worker.caller), 1, free);
    expect(job?.queue).toBe("later");
  } finally {
    stop.abort();
    await Promise.all([line, following]);
  }
});
