/** course, submit --task and regrade against a real server with a real worker. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeToken } from "@lanista/server/accounts/tokens";
import type { TestPerson } from "@lanista/server/testing/server";
import { startWorker } from "@lanista/server/worker/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GUEST_DIR } from "../../places.ts";
import { type ServedCommands, servedCommands } from "../../testing-server.ts";

let at: ServedCommands;
let lea: TestPerson;
let ada: TestPerson;
let stop: () => Promise<void>;

const AGENT = (first: number) => `
class Agent:
    def __init__(self):
        self.steps = iter([${first}, 1, 2, 1, 2, 2] + [2] * 100)
    def act(self, observation):
        return next(self.steps)
`;
const TASK = `
task: 1
title: The lake
environment: frozen-lake
options: { is_slippery: false }
points: 10
scoring: { by: reward, zero: 0, full: 1 }
limits: { move_seconds: 20, start_seconds: 60, case_seconds: 120, memory_mb: 128 }
cases: [{ id: seen, seed: 7 }]
reference: reference.py
cheat: cheat.py
`;
const DROWNS = AGENT(2).replace("[2, 1, 2", "[2, 1, 1");

beforeAll(async () => {
  at = await servedCommands();
  const root = await at.server.person("Root", { administrator: true });
  lea = await at.server.person("Lea", { organiser: true });
  ada = await at.server.person("Ada", { scope: "participant" });
  await at.as(root.token, "admin", "user", ada.id, "--confirmed", "yes");
  const whose = { userId: null, createdBy: null, spaceId: null, queues: [], seconds: 3600 };
  const { secret: token } = await makeToken(at.server.app.db, { name: "w", scope: "worker", ...whose });
  const { log } = at.server.app;
  const own = { server: at.server.urls.http, token, log, guestDir: GUEST_DIR, version: "test" };
  const worker = await startWorker({ ...own, tiers: ["container"] });
  stop = () => worker.stop();
}, 60_000);
afterAll(async () => {
  await stop();
  await at.close();
});

const said = async (token: string, ...argv: string[]): Promise<string> => {
  const { code, stdout, stderr } = await at.as(token, ...argv);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  return stdout;
};
function file(name: string, text: string): string {
  const path = join(at.folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

test("a course from its making to its results", async () => {
  expect(
    await said(lea.token, "course", "create", "cs1", "--title", "CS 1", "--year", "2026", "--semester", "autumn"),
  ).toMatch(/^CS 1 \(cs1, [0-9a-f-]{36}\): autumn 2026; you: administrator\n$/);
  const roster = file(
    "roster.csv",
    "name,email,role,group\nAda,ada@example.org,student,T1\nNew,new@example.org,student,\n",
  );
  const dry = await at.as(lea.token, "course", "import-roster", "cs1", roster, "--dry-run");
  expect(dry.stdout).toMatch(/Ada +ada@example.org +participant +T1 +joins\n.*is invited\n$/s);
  expect(dry.stderr).toContain("Nothing was changed.");
  const codes = join(at.folder, "codes.csv");
  await said(lea.token, "course", "import-roster", "cs1", roster, "--codes", codes);
  expect(readFileSync(codes, "utf8")).toMatch(/^email,code\nnew@example.org,invite_\S+\n$/);
  expect(await said(lea.token, "course", "set", "cs1", "--join", "*@school.edu")).toContain(
    "who may join: *@school.edu",
  );
  expect(await said(lea.token, "space", "members", "cs1")).toMatch(/Ada +ada@example.org +participant +T1/);

  expect(await said(lea.token, "course", "announce", "cs1", "Welcome", "--body", "All of you", "--pin")).toMatch(
    /^\* Welcome\nLea, /,
  );
  expect(await said(ada.token, "course", "announcements", "cs1")).toContain("All of you");

  const made = [
    "--points",
    "20",
    "--late-policy",
    "per-hour",
    "--late-percent",
    "10",
    "--deadline",
    "2026-01-01T00:00",
  ];
  expect(await said(lea.token, "course", "task", "create", "cs1/lake", ...made)).toMatch(
    /^lake \(lake, \S+: a draft, 20 points, no bundle in use\n/,
  );
  for (const [name, text] of Object.entries({ "task.yaml": TASK, "reference.py": AGENT(1), "cheat.py": DROWNS }))
    file(`bundle/${name}`, text);
  expect(await said(lea.token, "course", "task", "add", "cs1/lake", join(at.folder, "bundle"))).toMatch(
    /^version 1 \(\S+\) is ready: The lake, frozen-lake, 1 case, 10 points\n$/,
  );
  expect((await at.as(ada.token, "course", "task", "show", "cs1/lake")).code).toBe(2);
  await said(lea.token, "course", "task", "open", "cs1/lake");
  expect(await said(ada.token, "course", "task", "list", "cs1")).toMatch(/lake +lake +yes/);
  expect(await said(lea.token, "course", "task", "set", "cs1/lake", "--deadline", "none")).toContain("deadline –");
  expect(await said(lea.token, "course", "task", "template", "cs1/lake", join(at.folder, "bundle"))).toContain(
    "graded by version 1",
  );

  const agent = file("agent.py", AGENT(1));
  const submitted = await said(ada.token, "submit", agent, "--task", "cs1/lake");
  expect(submitted).toMatch(/^number 1, 10 of 10 points\nsubmission \S+, job \S+\n$/);
  const id = /submission ([^,]+)/.exec(submitted)![1]!;
  expect(await said(ada.token, "course", "grade", id)).toContain("10 of 10 points");
  expect(await said(ada.token, "course", "submissions", "cs1")).toMatch(new RegExp(`${id} +Ada +1 .*10 of 10 points`));
  expect(await said(lea.token, "regrade", "cs1/lake")).toBe("0 submissions queued.\n");
  expect(await said(lea.token, "regrade", "--submission", id)).toBe("1 submission queued.\n");
  expect(await said(lea.token, "course", "mark", "cs1/lake", "ada@example.org", "12.5", "--note", "By hand")).toBe(
    "12.5 points count.\n",
  );
  expect(await said(ada.token, "course", "results", "cs1")).toMatch(/Ada +T1 +12.5 +12.5\n$/);
  await said(lea.token, "course", "mark", "cs1/lake", "ada@example.org", "none", "--note", "No more");
  expect(await said(lea.token, "course", "extend", "cs1/lake", ada.id, "2099-01-01")).toMatch(/^Ada: until 2099/);

  const csv = join(at.folder, "results.csv");
  await said(lea.token, "course", "results", "cs1", "--csv", csv);
  expect(readFileSync(csv, "utf8")).toMatch(/\nAda,ada@example.org,T1,20,20,0,0,,20\n$/);
  expect((await at.as(lea.token, "course", "results", "cs1", "--csv", csv)).stderr).toContain("is there already");
  expect((await at.as(ada.token, "course", "results", "cs1", "--csv", `${csv}2`)).stderr).toContain(
    "only staff of the course",
  );
  await said(lea.token, "course", "download", "cs1/lake", join(at.folder, "all.zip"));
  expect(readFileSync(join(at.folder, "all.zip")).subarray(0, 2).toString()).toBe("PK");
  expect(await said(lea.token, "course", "compare", "cs1/lake")).toContain("done: 1 submission compared");
}, 60_000);
