/** One person, or one address, does not take a server for himself. */
import { setTimeout as sleep } from "node:timers/promises";
import { fromWire } from "@lanista/api/errors";
import { afterAll, beforeAll, expect, test } from "vitest";
import { enqueue } from "../jobs/enqueue.ts";
import { type TestPerson, type TestServer, testServer } from "../testing/server.ts";
import { network } from "./rate-limit.ts";
import { MOST_STREAMS } from "./stream-bound.ts";

const PER_MINUTE = MOST_STREAMS + 50;

let server: TestServer;
let owner: TestPerson;
let jobId: string;
beforeAll(async () => {
  server = await testServer({ flags: { "limits.ratePerMinute": String(PER_MINUTE) } });
  owner = await server.person("owner");
  const job = await server.app.db.transaction().execute((tx) =>
    enqueue(server.app, tx, {
      kind: "noop",
      queue: "default",
      spaceId: null,
      ownerId: owner.id,
      fairKey: owner.id,
      payload: { seconds: 0, end: "completed" },
      timeoutSeconds: 60,
    }),
  );
  jobId = job.id;
});
afterAll(() => server.close());

const outcome = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => "ok",
    (error: unknown) => fromWire(error).code,
  );

test("a person has so many streams open and no more, until one ends", async () => {
  const watch = async (signal: AbortSignal): Promise<string> => {
    const stream = owner.client.jobs.watchJob({ jobId }, { signal });
    return await outcome(stream[Symbol.asyncIterator]().next());
  };
  const some = new AbortController();
  const others = new AbortController();
  try {
    const all = Array.from({ length: MOST_STREAMS }, (_, index) => watch(index === 0 ? some.signal : others.signal));
    expect(new Set(await Promise.all(all))).toEqual(new Set(["ok"]));
    expect(await watch(others.signal)).toBe("rate_limited");
    some.abort();
    let again = await watch(others.signal);
    for (let tries = 0; again !== "ok" && tries < 20; tries++) {
      await sleep(100);
      again = await watch(others.signal);
    }
    expect(again).toBe("ok");
  } finally {
    some.abort();
    others.abort();
  }
});

test("pages and replays count as calls", async () => {
  const person = await server.person("reader");
  const statuses = new Set<number>();
  for (let call = 0; call <= PER_MINUTE; call++) {
    const answer = await fetch(`${server.urls.http}/replays/00000000-0000-4000-8000-000000000000.html`, {
      headers: { authorization: `Bearer ${person.token}` },
    });
    statuses.add(answer.status);
    if (call === 0) expect(answer.headers.get("ratelimit-remaining")).toBe(String(PER_MINUTE - 1));
  }
  expect([...statuses]).toEqual([404, 429]);
  expect(await outcome(person.client.tokens.whoAmI({}))).toBe("rate_limited");
  const board = () => fetch(`${server.urls.http}/ladders/none/none`);
  for (let call = 0; call < PER_MINUTE; call++) expect((await board()).status).toBe(404);
  expect((await board()).status).toBe(429);
  expect((await fetch(`${server.urls.http}/healthz`)).status).toBe(200);
});

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"],
  ["2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"],
  ["2001:db8:1:3::1", "2001:db8:1:3::/64"],
])("calls from %s are counted under %s", (address, counted) => {
  expect(network(address)).toBe(counted);
});
