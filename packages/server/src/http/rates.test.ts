/** Which addresses count how often one calls, and that those which do not cost nothing. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { enqueue } from "../jobs/enqueue.ts";
import type { MatchPayload } from "../jobs/payloads.ts";
import { type TestServer, testServer } from "../testing/server.ts";

const LIMIT = 4;

let server: TestServer;
beforeAll(async () => {
  server = await testServer({ flags: { "limits.ratePerMinute": String(LIMIT) } });
}, 60_000);
afterAll(() => server.close());

const MATCH: MatchPayload = {
  ...{ env: "hex", options: {}, seed: "1", episodes: 1, onFault: "random", forfeitAfter: 0, maxSteps: 0, live: false },
  ...{ tier: "container", limits: {}, actSeconds: 1, startSeconds: 1, matchSeconds: 60 },
  seats: [{ name: "one" }, { name: "two" }],
};
const at = (path: string, init: RequestInit = {}) => fetch(`${server.urls.http}${path}`, init);
const json = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };

test.each([
  ["/executor/replays/00000000-0000-4000-8000-000000000000.json", {}],
  ["/executor/replays/nothing", {}],
  ["/api/auth/get-session", {}],
  ["/api/auth/list-sessions", {}],
  ["/api/auth/revoke-sessions", json],
  ["/api/auth/revoke-other-sessions", json],
  ["/api/auth/update-user", json],
  ["/api/auth/sign-out", json],
])("%s is answered so many times a minute", async (path, init) => {
  const person = await server.person(`caller-of${path.replaceAll("/", "-")}`);
  const headers = { ...("headers" in init ? init.headers : {}), authorization: `Bearer ${person.token}` };
  const answers: Response[] = [];
  for (let call = 0; call <= LIMIT; call++) answers.push(await at(path, { ...init, headers }));
  expect(answers.map(({ status }) => status === 429)).toEqual([...Array(LIMIT).fill(false), true]);
  expect(answers[0]!.headers.get("ratelimit-limit")).toBe(String(LIMIT));
  expect(Number(answers.at(-1)!.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("readiness is not counted, and looks at the store once a second", async () => {
  const check = vi.spyOn(server.app.store, "check");
  const began = performance.now();
  for (let call = 0; call < 100; call++) expect((await at(call % 2 === 0 ? "/readyz" : "/")).status).toBe(200);
  const seconds = (performance.now() - began) / 1000;
  expect(check.mock.calls.length).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
  check.mockRestore();
}, 30_000);

test("who asks for replays that are not there does not wait for those that are made", async () => {
  const { app } = server;
  const { digest } = await app.store.put(Buffer.from("a replay"));
  const id = crypto.randomUUID();
  await app.db.transaction().execute(async (tx) => {
    const job = await enqueue(app, tx, { kind: "match", payload: MATCH, timeoutSeconds: 60 });
    const ended = { state: "ended", ended_at: new Date(), outcome: JSON.stringify({ kind: "completed" }) } as const;
    await tx.updateTable("jobs").set(ended).where("id", "=", job.id).execute();
    const of = { space_id: null, ladder_id: null, owner_id: null, reason: "executor", rated: false } as const;
    const match = { id, job_id: job.id, ...of, env: "hex", options: "{}", seed: "1", replay_blob: digest };
    await tx
      .insertInto("matches")
      .values({ ...match, ...ended })
      .execute();
    const asked = { match_id: id, caller: "x", external_id: "x", request_hash: Buffer.alloc(1), record_replay: true };
    await tx
      .insertInto("executor_matches")
      .values({ ...asked, agents: "[]" })
      .execute();
  });
  const held = Promise.withResolvers<Buffer>();
  const get = vi.spyOn(app.store, "get").mockReturnValue(held.promise as never);
  const person = await server.person("reader");
  const headers = { authorization: `Bearer ${person.token}` };
  const made = [0, 1].map(() => at(`/executor/replays/${id}.json`, { headers }));
  await expect.poll(() => get.mock.calls.length).toBe(2);
  expect((await at(`/executor/replays/${crypto.randomUUID()}.json`, { headers })).status).toBe(404);
  held.reject(new Error("the store is gone"));
  expect((await Promise.all(made)).map(({ status }) => status)).toEqual([500, 500]);
  get.mockRestore();
}, 30_000);
