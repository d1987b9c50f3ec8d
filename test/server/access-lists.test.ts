/** One participant sees nothing of another's: not by asking for it (access.test.ts), and not in a list either. */
import { fromWire } from "@lanista/api/errors";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeJob, makeWorld, type World } from "./access/world.ts";

let world: World;
let job: string;
beforeAll(async () => {
  world = await makeWorld();
  job = await makeJob(world);
  await world.server.database.db
    .insertInto("job_output")
    .values([0, 1].map((seat) => ({ job_id: job, attempt: 1, seq: seat, seat, text: `said by seat ${seat}\n` })))
    .execute();
}, 60_000);
afterAll(() => world.close());

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
