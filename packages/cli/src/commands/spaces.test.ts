/** space, ladder, schedule, queue, job, worker list and drain, and the lists of status, against a real server. */
import { enqueue } from "@lanista/server/jobs/enqueue";
import type { TestPerson } from "@lanista/server/testing/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServedCommands, servedCommands } from "../testing-server.ts";

let at: ServedCommands;
let root: TestPerson;
let olga: TestPerson;
let ann: TestPerson;
let stranger: TestPerson;
let spaceId = "";

beforeAll(async () => {
  at = await servedCommands();
  root = await at.server.person("Root", { administrator: true });
  olga = await at.server.person("Olga", { organiser: true });
  ann = await at.server.person("Ann", { scope: "participant" });
  stranger = await at.server.person("Sam", { scope: "participant" });
  expect((await at.as(olga.token, "space", "create", "winter", "--title", "Winter cup")).stdout).toMatch(
    /^Winter cup \(winter, [0-9a-f-]{36}\)\n$/,
  );
  const { spaces } = (await at.json(olga.token, "space", "list")) as { spaces: { id: string }[] };
  spaceId = spaces[0]!.id;
  await at.as(olga.token, "ladder", "create", "hex", "--space", "winter", "--env", "hex", "--option", "size=5");
  expect((await at.as(ann.token, "space", "join", await invite())).code).toBe(0);
}, 60_000);
afterAll(() => at.close());

async function invite(): Promise<string> {
  const made = (await at.json(olga.token, "space", "invite", "winter", "--uses", "5", "--note", "class")) as {
    code: string;
    url: string;
  };
  expect(made.url).toBe(`${at.server.urls.http}/invitation#${made.code}`);
  return made.code;
}

async function jobs(ownerId: string, count: number): Promise<string[]> {
  const { app } = at.server;
  const payload = { seconds: 0, end: "completed" };
  return await app.db.transaction().execute(async (tx) => {
    const ids: string[] = [];
    for (let made = 0; made < count; made++)
      ids.push((await enqueue(app, tx, { kind: "noop", payload, spaceId, ownerId, timeoutSeconds: 60 })).id);
    return ids;
  });
}

const job = async (ownerId: string): Promise<string> => (await jobs(ownerId, 1))[0]!;

async function setAside(id: string): Promise<void> {
  const outcome = JSON.stringify({ kind: "infra_fault", detail: "every box was gone" });
  await at.server.app.db
    .updateTable("jobs")
    .set({ state: "dead", ended_at: new Date(), outcome })
    .where("id", "=", id)
    .execute();
}

test("an invitation's text joins; invitations are listed and revoked", async () => {
  const { stdout } = await at.as(olga.token, "space", "invite", "winter");
  const [, code = ""] = /^http\S+#\S+\nlanista space join (\S+)\n$/.exec(stdout) ?? [];
  const joined = await at.as(ann.token, "space", "join", code);
  expect(joined).toMatchObject({ code: 0, stdout: expect.stringMatching(/^You are in. Winter cup \(winter/) });

  const other = await invite();
  const listed = await at.as(olga.token, "space", "invitations", "winter");
  const last = listed.stdout.trimEnd().split("\n").at(-1)!;
  expect(last).toMatch(/^participant +5 +\d{4}-.* class +\S+$/);
  const id = last.split(/\s+/).at(-1)!;
  expect(await at.as(olga.token, "space", "revoke", id)).toMatchObject({ code: 0, stdout: "Revoked.\n" });
  const late = await at.as(stranger.token, "space", "join", other);
  expect(late).toMatchObject({ code: 2, stdout: "" });
  expect(late.stderr).toContain("was revoked or is used up. Ask whoever invited you");
  expect((await at.as(ann.token, "space", "invitations", "winter")).code).toBe(2);
});

test("members are listed, given a role and taken out", async () => {
  const ben = await at.server.person("Ben", { scope: "participant" });
  await at.as(ben.token, "space", "join", await invite());
  expect((await at.as(ben.token, "space", "list")).stdout).toMatch(/^winter +Winter cup +participant/m);
  expect((await at.as(olga.token, "space", "members", "winter")).stdout).toMatch(/^Ben +ben@example.org +participant/m);
  const set = await at.as(olga.token, "space", "role", "winter", ben.id, "organiser");
  expect(set.stdout).toMatch(/^Ben +ben@example.org +organiser/m);
  expect((await at.as(olga.token, "space", "role", "winter", ben.id, "king")).stderr).toContain("Allowed choices");
  expect(await at.json(olga.token, "space", "remove", "winter", ben.id)).toMatchObject({ removed: true });
  expect((await at.as(ben.token, "space", "list")).stdout).toBe("no spaces\n");
  expect((await at.as(olga.token, "space", "remove", "winter", ben.id)).stderr).toContain("the member");
  expect((await at.as(olga.token, "space", "audit", "winter")).stdout).toMatch(
    /SpaceService\/RemoveMember +test-Ben$/m,
  );
});

test("a space is bounded; one that is not there, or not his, does not exist", async () => {
  const argv = ["space", "set", "winter", "--max-running", "7", "--daily-submissions", "20"];
  expect(await at.json(olga.token, ...argv)).toMatchObject({ maxRunning: 7, dailySubmissions: 20 });
  expect((await at.as(ann.token, ...argv)).code).toBe(2);
  for (const name of ["summer", "winter"]) {
    const { code, stdout } = await at.as(stranger.token, "ladder", "list", "--space", name, "--json");
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error.message).toContain("the space does not exist, or is not yours to see");
  }
});

test("a ladder is made, listed, changed, frozen and verified; its board and matches are empty", async () => {
  const made = await at.as(
    olga.token,
    ..."ladder create four --space winter --env connect-four --public --move-time 2 --parallel 3".split(" "),
  );
  expect(made.stdout).toMatch(/^four \([0-9a-f-]{36}\): open, 0 agents\n$/);
  expect((await at.as(ann.token, "ladder", "list", "--space", "winter")).stdout).toMatch(
    /^four +four +connect-four +open +0 +0 +\S+\nhex +hex +hex +open/m,
  );
  const changed = await at.json(
    olga.token,
    ..."ladder set winter/four --title Four --daily 9 --move-time 3 --public no".split(" "),
  );
  expect(changed).toMatchObject({
    title: "Four",
    public: false,
    rules: { dailyMatches: 9, parallelMatches: 3, limits: { actMs: 3000 }, env: "connect-four" },
  });
  expect((await at.as(olga.token, "ladder", "set", "winter/four")).stderr).toContain("say what to change");
  expect((await at.as(olga.token, "ladder", "freeze", "winter/four")).stdout).toContain("frozen");
  expect((await at.as(olga.token, "ladder", "unfreeze", "winter/four")).stdout).toContain("open");
  expect(await at.json(olga.token, "ladder", "verify", "winter/four")).toMatchObject({ equal: true, matches: "0" });
  expect((await at.as(ann.token, "ladder", "matches", "winter/four")).stdout).toBe("no matches\n");
  expect((await at.as(ann.token, "ladder", "matches", "winter/four", "--agent", "x")).stderr).toContain('no agent "x"');
  expect((await at.as(ann.token, "leaderboard", "winter/four")).stdout).toMatch(
    /^Four \(connect-four\), open: 0 agents, 0 matches\n\nnobody is on it yet\n$/,
  );
  expect((await at.as(ann.token, "ladder", "freeze", "winter/four")).code).toBe(2);
  expect((await at.as(olga.token, "leaderboard", "winter/none")).stderr).toContain("the ladder does not exist");
  const twice = await at.as(olga.token, ..."ladder create four --space winter --env hex".split(" "));
  expect(twice.stderr).toContain('the space has a ladder "four" already (slug)');
});

test("schedules are made, listed and deleted", async () => {
  const made = (await at.json(olga.token, "schedule", "create", "winter/hex", "freeze", "0 18 * * 5")) as {
    id: string;
  };
  const listed = await at.as(olga.token, "schedule", "list", "--space", "winter");
  expect(listed.stdout).toMatch(/^freeze +0 18 \* \* 5 +UTC +\d{4}-/m);
  expect((await at.as(olga.token, "schedule", "create", "winter/hex", "freeze", "soon")).stderr).toContain("(cron)");
  expect((await at.as(ann.token, "schedule", "delete", made.id)).code).toBe(2);
  expect(await at.as(olga.token, "schedule", "delete", made.id)).toMatchObject({ code: 0, stdout: "Deleted.\n" });
  expect((await at.as(olga.token, "schedule", "list", "--space", "winter")).stdout).toBe("no schedules\n");
});

test("status without a job lists one's own, by state and as many as asked for", async () => {
  const mine = (await jobs(ann.id, 3)).reverse();
  const foreign = await job(olga.id);
  const ids = async (token: string, ...argv: readonly string[]): Promise<string[]> =>
    ((await at.json(token, "status", ...argv)) as { jobs: { id: string }[] }).jobs.map(({ id }) => id);
  expect(await ids(ann.token)).toEqual(mine);
  expect(await ids(ann.token, "--space", "winter")).toEqual(mine);
  const two = await at.as(ann.token, "status", "--limit", "2");
  expect(two.stdout.trimEnd().split("\n")).toHaveLength(3);
  expect(two.stderr).toBe("There are more: --limit.\n");
  expect(await ids(olga.token, "--space", "winter", "--all")).toEqual([foreign, ...mine]);
  expect((await at.as(olga.token, "status", "--all")).stderr).toContain("name a space");
  expect(await ids(root.token, "--all")).toEqual([foreign, ...mine]);

  const { db } = at.server.app;
  await setAside(mine[1]!);
  expect(await ids(ann.token, "--state", "dead")).toEqual([mine[1]]);
  expect(await ids(ann.token, "--state", "dead", "--state", "waiting")).toEqual(mine);
  expect((await at.as(ann.token, "status", "--state", "dead")).stdout).toMatch(/set aside: .*every box was gone/);
  expect((await at.as(ann.token, "status", "--state", "lost")).stderr).toContain("Give one of waiting, running");
  expect((await at.as(ann.token, "status", "--watch")).stderr).toContain("--watch needs a job's id");

  // More than a page of the API has.
  await jobs(stranger.id, 205);
  const member = { space_id: spaceId, user_id: stranger.id, role: "participant" as const };
  expect(await ids(stranger.token)).toEqual([]);
  await db.insertInto("members").values(member).execute();
  await expect.poll(() => ids(stranger.token, "--limit", "300")).toHaveLength(205);
  await db.deleteFrom("jobs").where("owner_id", "=", stranger.id).execute();
  await db.deleteFrom("members").where("user_id", "=", stranger.id).execute();
});

test("a job is shown, cancelled, and put back where it was set aside", async () => {
  const id = await job(ann.id);
  const shown = await at.as(ann.token, "status", id);
  expect(shown.stdout).toMatch(/^noop \S+ in default: waiting, number \d+.*: /);
  expect((await at.as(stranger.token, "status", id)).stderr).toContain("the job does not exist");
  expect(await at.as(ann.token, "job", "cancel", id)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("cancelled by its owner"),
  });
  expect(await at.json(ann.token, "status", id)).toMatchObject({ outcome: { kind: "OUTCOME_KIND_CANCELLED" } });

  const dead = await job(ann.id);
  await setAside(dead);
  expect((await at.as(ann.token, "job", "retry", dead)).code).toBe(2);
  expect((await at.as(olga.token, "job", "retry", dead)).stdout).toMatch(/^waiting, number/);
  expect((await at.as(olga.token, "job", "retry", dead)).code).toBe(2);
  expect((await at.as(ann.token, "job", "cancel", "no-id")).stderr).toContain("job_id");
});

test("queues are listed, bounded, paused and made", async () => {
  expect((await at.as(ann.token, "queue", "list")).stdout).toMatch(/^default +\d+ +/m);
  const set = await at.as(root.token, "queue", "set", "gpu", "--max-running", "4", "--pause");
  expect(set.stdout).toMatch(/^gpu +0 +– +0 +4 +0 +0 +paused$/m);
  expect(await at.json(root.token, "queue", "set", "gpu", "--resume")).toMatchObject({ paused: false, maxRunning: 4 });
  expect((await at.as(olga.token, "queue", "set", "gpu", "--pause")).code).toBe(2);
});

test("workers are listed and drained", async () => {
  expect((await at.as(olga.token, "worker", "list")).stdout).toBe("no workers\n");
  const id = "0192c7a4-8a0e-7d3c-9a51-0c3f3a1d2b4e";
  const token = (await at.as(root.token, "token", "create", "lab-1", "--scope", "worker")).stdout.trim();
  const ends = new AbortController();
  const hello = { workerId: id, name: "lab-1", version: "1", queues: ["default"], concurrency: 2, kinds: ["match"] };
  const line = at.server.client(token).workers.attend({ hello }, { signal: ends.signal })[Symbol.asyncIterator]();
  await line.next();
  try {
    const row = /^lab-1 +0192c7a4-8a0e-7d3c-9a51-0c3f3a1d2b4e +1 +default +0 of 2 /m;
    expect((await at.as(olga.token, "worker", "list")).stdout).toMatch(row);
    expect((await at.as(olga.token, "worker", "drain", id)).code).toBe(2);
    expect((await at.as(root.token, "worker", "drain", id)).stdout).toMatch(/draining$/m);
    expect(await at.json(root.token, "worker", "list")).toMatchObject({ workers: [{ id, draining: true }] });
    expect(await at.json(root.token, "worker", "drain", id, "--undo")).toMatchObject({ draining: false });
    expect((await at.as(ann.token, "worker", "list")).code).toBe(2);
  } finally {
    ends.abort();
    await line.next().catch(() => {});
  }
});

test("a wrong token, and a server that is not there, are said in a sentence", async () => {
  for (const argv of [
    ["status"],
    ["space", "list"],
    ["ladder", "matches", "winter/hex"],
    ["queue", "list"],
    ["replay", "fetch", "0192c7a4-8a0e-7d3c-9a51-0c3f3a1d2b4e"],
  ]) {
    const wrong = await at.as("lanista_nonsense", ...argv, "--json");
    expect(wrong.code).toBe(2);
    expect(JSON.parse(wrong.stdout).error).toMatchObject({
      code: "usage",
      message: expect.stringContaining("the token or session is not good"),
    });
  }
  const nobody = await at.as(ann.token, "space", "list", "--server", "http://127.0.0.1:1");
  expect(nobody).toMatchObject({ code: 4, stdout: "" });
  expect(nobody.stderr).toContain("the server does not answer (ECONNREFUSED)");
});
