/** What lies in no space, and who sees it. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeToken } from "../accounts/tokens.ts";
import type { Caller } from "../auth/caller.ts";
import { visibleMatch } from "../matches/access.ts";
import { testServer } from "../testing/server.ts";
import { organisedJob, ownJob, readableSeats } from "./access.ts";
import { type Bench, bench } from "./testing.ts";

let at: Bench;
let job: string;
let match: string;
beforeAll(async () => {
  at = await bench();
  await at.user("ada");
  job = (await at.enqueue({ ownerId: "ada", spaceId: null })).id;
  match = randomUUID();
  const of = { space_id: null, ladder_id: null, owner_id: "ada", reason: "requested", rated: false } as const;
  await at.app.db
    .insertInto("matches")
    .values({ id: match, job_id: job, ...of, env: "hex", options: "{}", seed: "1" })
    .execute();
}, 60_000);
afterAll(() => at.close());

type Seen = "own" | "organised" | "log" | "match";

async function seen(scope: "participant" | "administrator", name: string, spaceId: string | null): Promise<Seen[]> {
  const { db } = at.app;
  const person = await db.selectFrom("user").selectAll().where("id", "=", "ada").executeTakeFirstOrThrow();
  const user = { ...person, id: name } as unknown as Caller["user"];
  const scopes: Caller["scopes"] = new Set(scope === "participant" ? ["participant"] : ["participant", scope]);
  const caller: Caller = { name: `user:${name}`, user, scopes, tokenId: randomUUID(), spaceId, queues: [] };
  const looks: [Seen, () => Promise<unknown>][] = [
    ["own", () => ownJob(db, caller, job)],
    ["organised", () => organisedJob(db, caller, job)],
    ["log", () => readableSeats(db, caller, job)],
    ["match", () => visibleMatch(db, caller, match)],
  ];
  const found = await Promise.all(
    looks.map(([what, look]) =>
      look().then(
        () => [what],
        (error: { code: string }) => (error.code === "not_found" ? [] : Promise.reject(error)),
      ),
    ),
  );
  return found.flat();
}

test("is its owner's and an administrator's", async () => {
  expect(await seen("participant", "ada", null)).toEqual(["own", "log", "match"]);
  expect(await seen("administrator", "bob", null)).toEqual(["own", "organised", "log", "match"]);
  expect(await seen("participant", "bob", null)).toEqual([]);
});

test("is not there for a token that is bound to a space, whoever's", async () => {
  expect(await seen("participant", "ada", at.space)).toEqual([]);
  expect(await seen("administrator", "ada", at.space)).toEqual([]);
  expect(await seen("administrator", "bob", at.space)).toEqual([]);
});

test("is not theirs to change either: a queue of all is no business of a token that is bound to a space", async () => {
  const server = await testServer();
  try {
    const admin = await server.person("admin", { administrator: true });
    const { space } = await admin.client.spaces.createSpace({ slug: "course", title: "Course" });
    const of = { name: "bound", scope: "administrator", userId: admin.id, createdBy: admin.id } as const;
    const { secret } = await makeToken(server.app.db, { ...of, spaceId: space!.id, queues: [], seconds: 60 });
    const bound = server.client(secret).jobs;
    await expect(bound.updateQueue({ name: "default", paused: true })).rejects.toThrow("one space");
    const paused = server.app.db.selectFrom("queues").select("paused").where("name", "=", "default");
    expect(await paused.executeTakeFirst()).toEqual({ paused: false });
    expect((await bound.updateQueue({ name: "own", space: "course" })).queue?.name).toBe("own");
  } finally {
    await server.close();
  }
}, 60_000);
