/** What lies in no space, and who sees it. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Caller } from "../auth/caller.ts";
import { visibleMatch } from "../matches/access.ts";
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
