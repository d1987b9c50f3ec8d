/** What is watched while it happens: a place in the queue, and a real worker's match with its moves and logs. */

import type { LanistaClient } from "@lanista/api/client";
import { Job_State } from "@lanista/api/gen/lanista/v1/jobs_pb";
import { verifyReplay } from "@lanista/arena/replay-verify";
import { sha256 } from "@lanista/arena/sha256";
import { environments } from "@lanista/games/registry";
import { parseReplay } from "@lanista/games/replay";
import { inTransaction } from "@lanista/server/jobs/transaction";
import { joinLadder } from "@lanista/server/ladder/join";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FIRST, PAUSES, WorkerWorld } from "./support/worker-world.ts";

const ORGANISER = "olga";
let world: WorkerWorld;
let organiser: LanistaClient;
let spaceId: string;
beforeAll(async () => {
  world = await WorkerWorld.open();
  organiser = await world.person(ORGANISER, true);
  spaceId = (await organiser.spaces.createSpace({ slug: "course", title: "Course" })).space!.id;
});
afterAll(() => world.close());

/** What a stream has given so far. */
function reading<T>(stream: AsyncIterable<T>): { readonly seen: T[]; readonly end: Promise<void> } {
  const seen: T[] = [];
  const read = async (): Promise<void> => {
    for await (const one of stream) seen.push(one);
  };
  return { seen, end: read() };
}

test("a waiting job's place is told as the queue before it moves, then its run and its end", async () => {
  const of = { spaceId, ownerId: ORGANISER, queue: "private" };
  const [first, , third] = [await world.noop(0, of), await world.noop(0, of), await world.noop(2, of)];
  const { seen, end } = reading(organiser.jobs.watchJob({ jobId: third!.id }));
  const place = () => seen.at(-1)?.job?.wait?.position;
  await expect.poll(place).toBe(3);
  await organiser.jobs.cancelJob({ jobId: first!.id });
  await expect.poll(place).toBe(2);
  const worker = await world.worker({ queues: ["private"], concurrency: 1 });
  await end;
  await worker.stop();
  const states = seen.map(({ job }) => job!.state);
  expect([...new Set(states)]).toEqual([Job_State.WAITING, Job_State.RUNNING, Job_State.ENDED]);
  const places = seen.flatMap(({ job }) => (job!.state === Job_State.WAITING ? [job!.wait!.position] : []));
  expect(places).toEqual(places.toSorted((one, other) => other - one));
});

async function agentOn(ladderId: string, name: string, script: string): Promise<string> {
  const { db } = world.database;
  const [agentId, versionId, digest] = [uuid(), uuid(), await world.bundle(script)];
  await db.insertInto("bundles").values({ digest, size_bytes: 1 }).execute();
  await db.insertInto("agents").values({ id: agentId, space_id: spaceId, owner_id: ORGANISER, name }).execute();
  const version = { id: versionId, agent_id: agentId, number: 1, digest, size_bytes: 1 };
  await db
    .insertInto("agent_versions")
    .values({ ...version, validation: "valid" })
    .execute();
  await inTransaction(world.server.app, (tx) => joinLadder(world.server.app, tx, { ladderId, agentId, versionId }));
  return agentId;
}

test("a match is watched from its first move to its end, and its logs are followed, while a worker plays it", async () => {
  const rules = { env: "tic-tac-toe", limits: { actMs: 20_000 }, agentsPerParticipant: 2 };
  const made = await organiser.ladders.createLadder({ space: "course", slug: "live", title: "Live", rules });
  const ladderId = made.ladder!.id;
  const agentIds = [await agentOn(ladderId, "pauses", PAUSES), await agentOn(ladderId, "first", FIRST)];
  // So that the ladder asks for no matches of its own.
  await organiser.ladders.freezeLadder({ ladderId, frozen: true });
  const { match } = await organiser.matches.requestMatch({ ladderId, agentIds });
  const [matchId, jobId] = [match!.id, match!.jobId];
  const watching = reading(organiser.matches.watchMatch({ matchId }));
  const following = reading(organiser.jobs.readLog({ jobId, follow: true }));
  await expect.poll(() => watching.seen.length).toBe(1);
  await world.worker();

  const lines = () =>
    watching.seen
      .map(({ event }) => (event.case === "moves" ? event.value.lines : ""))
      .join("")
      .split("\n");
  const log = () => following.seen.map(({ text }) => text).join("");
  await expect.poll(lines, { interval: 20 }).toContainEqual(expect.stringMatching(/^\{"a":\[\d,null\]/));
  await expect.poll(log, { interval: 20 }).toContain("thinking\n");
  expect((await organiser.matches.getMatch({ matchId })).match!.state).toBe("running");
  expect(JSON.parse(lines()[0]!)).toMatchObject({ seed: null, chance: null, env: { id: "tic-tac-toe" } });

  await Promise.all([watching.end, following.end]);
  const states = watching.seen.flatMap(({ event }) => (event.case === "match" ? [event.value.state] : []));
  expect([...new Set(states)]).toEqual(["waiting", "running", "ended"]);
  expect(watching.seen.at(-1)!.event.case).toBe("match");
  let replay = "";
  for await (const { text } of organiser.replays.getReplay({ matchId })) replay += text;
  expect(lines().slice(1)).toEqual(replay.split("\n").slice(1));
  const { match: over } = await organiser.matches.getMatch({ matchId });
  expect(verifyReplay(parseReplay(replay, sha256), environments)).toMatchObject({ ok: true, hash: over!.replayHash });
  expect(log()).toBe("thinking\n".repeat(4));
  expect(following.seen.every(({ seat, attempt }) => seat === 0 && attempt === 1)).toBe(true);
});
