/** Rights that are taken away end streams, too: a revocation counts at once, also for who is already listening. */
import { fromWire } from "@lanista/api/errors";
import { makeToken } from "@lanista/server/accounts/tokens";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeJob, makeWorld, type World } from "./access/world.ts";

/** Streams look again each 30 seconds by themselves: sooner than that, they were told. */
const SOON_MS = 15_000;

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.close());

/** Reads to the end: how it ended, and how long after `then` was called. */
function reading(stream: AsyncIterable<unknown>): { first: Promise<void>; end: Promise<string> } {
  let begun = (): void => {};
  const first = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const end = (async () => {
    try {
      for await (const _ of stream) begun();
      return "ok";
    } catch (error) {
      begun();
      return fromWire(error).code;
    }
  })();
  return { first, end };
}

const within = async (end: Promise<string>): Promise<string> =>
  await Promise.race([end, new Promise<string>((resolve) => setTimeout(resolve, SOON_MS, "still open"))]);

async function waitingJob(): Promise<string> {
  const id = await makeJob(world);
  await sql`UPDATE jobs SET state = 'waiting', outcome = NULL, ended_at = NULL, started_at = NULL, queue = 'private' WHERE id = ${id}`.execute(
    world.server.database.db,
  );
  return id;
}

async function ownerToken(): Promise<{ secret: string; id: string }> {
  const { id } = world.people.owner;
  const { row, secret } = await makeToken(world.server.database.db, {
    name: "t",
    scope: "participant",
    userId: id,
    createdBy: id,
    spaceId: null,
    queues: [],
    seconds: 600,
  });
  return { secret, id: row.id };
}

test("a revoked token's stream ends; others' of the same person go on", async () => {
  const jobId = await waitingJob();
  const { secret, id } = await ownerToken();
  const one = reading(world.server.client(secret).jobs.watchJob({ jobId }));
  const other = reading(world.people.owner.client.jobs.watchJob({ jobId }));
  await Promise.all([one.first, other.first]);
  await world.people.owner.client.tokens.revokeToken({ tokenId: id });
  expect(await within(one.end)).toBe("unauthenticated");
  await world.people.owner.client.jobs.cancelJob({ jobId });
  expect(await within(other.end)).toBe("ok");
});

test("a token that is revoked while nothing is said ends its worker's line", async () => {
  const { db } = world.server.database;
  const { row, secret } = await makeToken(db, {
    name: "w",
    scope: "worker",
    userId: null,
    createdBy: world.people.administrator.id,
    spaceId: null,
    queues: [],
    seconds: 600,
  });
  const hello = { workerId: row.id, name: "w", version: "1", queues: ["default"], concurrency: 1, kinds: ["noop"] };
  const line = reading(world.server.client(secret).workers.attend({ hello }));
  await line.first;
  await world.people.administrator.client.tokens.revokeToken({ tokenId: row.id });
  expect(await within(line.end)).toBe("unauthenticated");
});

test("who is put out of a space hears nothing more of it", async () => {
  const jobId = await waitingJob();
  const { owner, organiser } = world.people;
  const watching = reading(owner.client.jobs.watchJob({ jobId }));
  await watching.first;
  await organiser.client.spaces.removeMember({ space: world.spaceA, userId: owner.id });
  expect(await within(watching.end)).toBe("aborted");
  const again = reading(owner.client.jobs.watchJob({ jobId }));
  expect(await within(again.end)).toBe("not_found");
});
