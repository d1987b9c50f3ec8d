/** One participant sees nothing of another's: not by asking for it (access.test.ts), and not in a list either. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fromWire } from "@lanista/api/errors";
import { readReplayFile } from "@lanista/arena/replay-file";
import { sha256 } from "@lanista/arena/sha256";
import type { Replay } from "@lanista/games/replay-types";
import { ReplayWriter } from "@lanista/games/replay-writer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeJob, makeMatch, makeWorld, type World } from "./access/world.ts";

let world: World;
let job: string;
beforeAll(async () => {
  world = await makeWorld();
  job = await makeJob(world);
  await world.server.database.db
    .insertInto("job_output")
    .values([0, 1].map((seat) => ({ job_id: job, attempt: 1, seq: seat, seat, text: `said by seat ${seat}\n` })))
    .execute();
});
afterAll(() => world.close());

function rewritten(replay: Replay): { text: string } {
  const writer = new ReplayWriter(replay.header, sha256);
  for (const { steps, forfeit, end } of replay.episodes) {
    for (const step of steps) writer.step(step);
    if (forfeit !== null) writer.forfeit(forfeit);
    if (end !== null) writer.episode(end);
  }
  return writer.finish(replay.final);
}

const codeOf = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => "ok",
    (error: unknown) => fromWire(error).code,
  );

test("lists of jobs, agents and submissions hold one's own; an organiser may ask for all", async () => {
  const { owner, other, organiser } = world.people;
  const space = world.spaceA;
  const jobs = async (of: typeof owner, all = false) =>
    (await of.client.jobs.listJobs({ space, all })).jobs.map((one) => one.id);
  expect(await jobs(owner)).toContain(job);
  expect(await jobs(other)).not.toContain(job);
  expect(await codeOf(jobs(other, true))).toBe("forbidden");
  expect(await jobs(organiser, true)).toContain(job);

  const agents = async (of: typeof owner, all = false) =>
    (await of.client.agents.listAgents({ space, all })).agents.map((one) => one.id);
  expect(await agents(other)).toEqual([world.agents.other.agent]);
  expect(await codeOf(agents(other, true))).toBe("forbidden");
  expect((await agents(organiser, true)).sort()).toEqual(
    Object.values(world.agents)
      .map((one) => one.agent)
      .sort(),
  );
  expect(await codeOf(other.client.submissions.listSubmissions({ space, all: true }))).toBe("forbidden");
  expect(await codeOf(other.client.tokens.listTokens({ all: true }))).toBe("forbidden");
});

test("a bundle's bytes go to its owner and to organisers", async () => {
  const { owner, organiser } = world.people;
  for (const { client } of [owner, organiser]) {
    const pieces: Uint8Array[] = [];
    for await (const { data } of client.agents.downloadVersion({ versionId: world.agents.owner.version }))
      pieces.push(data);
    expect(Buffer.concat(pieces)).toEqual(world.bundle);
  }
});

test("the audit log of a space shows nothing of another's", async () => {
  const { organiser } = world.people;
  const { entries } = await organiser.client.spaces.listAudit({ space: world.spaceA });
  expect(entries.length).toBeGreaterThan(0);
  expect(entries.map((entry) => entry.subject)).not.toContain(world.spaceB);
});

test("a replay's pages are for members, and names in them are text", async () => {
  const evil = "</script><script>alert(1)</script>";
  const replay = await readReplayFile(join(import.meta.dirname, "../replays/connect-four.jsonl"));
  const { header } = replay;
  const { text: named } = rewritten({
    ...replay,
    header: { ...header, seats: header.seats.map((seat) => ({ ...seat, agent: evil })) },
  });
  expect(named).toContain(JSON.stringify(evil));
  const { digest } = await world.server.app.store.put(gzipSync(named));
  const { match } = await makeMatch(world, "ladder", null, digest);
  const { owner, stranger } = world.people;
  const read = (ending: string, token?: string) =>
    fetch(`${world.server.urls.http}/replays/${match}.${ending}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  for (const ending of ["html", "json", "jsonl"]) {
    expect((await read(ending)).status).toBe(401);
    expect((await read(ending, "lanista_none")).status).toBe(401);
    expect((await read(ending, stranger.token)).status).toBe(404);
    const answer = await read(ending, owner.token);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    const text = await answer.text();
    if (ending === "html") {
      expect(text).toMatch(/http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/);
      expect(text.match(/<script/g)).toHaveLength(2);
      expect(text).not.toContain(evil);
    } else expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
  }
  for (const path of ["..%2f..%2fetc%2fpasswd.html", `${match}.html%00.json`, `${match}.exe`, `${match}`]) {
    const answer = await fetch(`${world.server.urls.http}/replays/${path}`, {
      headers: { authorization: `Bearer ${owner.token}` },
    });
    expect(answer.status, path).toBe(404);
  }
});
