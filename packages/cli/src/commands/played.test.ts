/** From handing in to a verified replay: submit, status, logs, leaderboard, ladder and replay, with a real worker and real sandboxes. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeToken } from "@lanista/server/accounts/tokens";
import type { TestPerson } from "@lanista/server/testing/server";
import { type RunningWorker, startWorker } from "@lanista/server/worker/worker";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GUEST_DIR } from "../places.ts";
import { type ServedCommands, servedCommands } from "../testing-server.ts";

const silent = pino({ level: process.env.LANISTA_TEST_LOG ?? "silent" }, pino.destination(2));

let at: ServedCommands;
let olga: TestPerson;
let ann: TestPerson;
let ben: TestPerson;
let worker: RunningWorker | undefined;

beforeAll(async () => {
  at = await servedCommands();
  olga = await at.server.person("Olga", { organiser: true });
  ann = await at.server.person("Ann", { scope: "participant" });
  ben = await at.server.person("Ben", { scope: "participant" });
  await at.as(olga.token, "space", "create", "winter");
  const { code } = (await at.json(olga.token, "space", "invite", "winter", "--uses", "2")) as { code: string };
  for (const { token } of [ann, ben]) await at.as(token, "space", "join", code);
  await at.as(
    olga.token,
    ..."ladder create ttt --space winter --env tic-tac-toe --public --parallel 1 --agents 2".split(" "),
  );
}, 60_000);
afterAll(async () => {
  await worker?.stop();
  await at.close();
});

async function beginWork(): Promise<void> {
  const { secret } = await makeToken(at.server.database.db, {
    name: "worker",
    scope: "worker",
    userId: null,
    createdBy: null,
    spaceId: null,
    queues: [],
    seconds: 3600,
  });
  worker = await startWorker({
    server: at.server.urls.http,
    token: secret,
    log: silent,
    guestDir: GUEST_DIR,
    version: "test",
    concurrency: 1,
    tiers: ["container"],
  });
}

function agent(name: string, body: string): string {
  const file = join(at.folder, `${name}.py`);
  writeFileSync(file, `import sys\ndef get_action(obs):\n    ${body}\n`);
  return file;
}

interface Match {
  readonly id: string;
  readonly jobId: string;
  readonly ladderId: string;
  readonly state: string;
  readonly replayHash: string;
}

const matches = async (...argv: readonly string[]): Promise<Match[]> =>
  ((await at.json(ann.token, "ladder", "matches", "winter/ttt", ...argv)) as { matches: Match[] }).matches;

test("an agent is handed in, and its validation waited for, watched and told", async () => {
  const first = agent("first", "print('I think', file=sys.stderr); return obs['action_mask'].index(1)");
  const early = (await at.json(ann.token, "submit", first, "--ladder", "winter/ttt", "--no-wait")) as {
    jobId: string;
    state: string;
  };
  expect(early.state).toBe("STATE_VALIDATING");
  expect((await at.as(ann.token, "status", early.jobId)).stdout).toMatch(/^validate \S+ in default: waiting, number 1/);

  const watched = at.as(ann.token, "status", early.jobId, "--watch");
  await beginWork();
  const { code, stdout, stderr } = await watched;
  expect(code).toBe(0);
  expect(stderr).toMatch(/^waiting, number 1/);
  expect(stderr).toMatch(/^ended: completed$/m);
  expect(stdout).toMatch(/^validate \S+ in default: ended: completed\n[\s\S]*^ +1 +\S+ .* completed$/m);

  const last = agent("last", "m = obs['action_mask']; return max(i for i in range(len(m)) if m[i])");
  const waited = await at.as(ben.token, "submit", last, "--ladder", "winter/ttt", "--name", "from the end");
  expect(waited).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^from the end, version 1: accepted\nsubmission \S+, job \S+\n$/),
  });

  const broken = await at.as(ben.token, "submit", agent("broken", "return ("), "--ladder", "winter/ttt");
  expect(broken.code).toBe(1);
  expect(broken.stdout).toMatch(/^broken, version 1: rejected\nerror: .*\n/);
  const lost = await at.as(ben.token, "submit", join(at.folder, "none.py"), "--ladder", "winter/ttt");
  expect(lost).toMatchObject({ code: 2, stdout: "" });
  const unknown = await at.as(ben.token, "submit", last, "--ladder", "winter/none", "--json");
  expect(unknown.code).toBe(2);
  expect(JSON.parse(unknown.stdout).error.message).toContain("the ladder does not exist, or is not yours to see");
}, 120_000);

test("matches are listed with their ids, and the replay of one is fetched and verified", async () => {
  await expect
    .poll(() => matches(), { timeout: 60_000, interval: 500 })
    .toContainEqual(expect.objectContaining({ state: "ended", replayHash: expect.stringMatching(/^[0-9a-f]{64}$/) }));
  await at.as(olga.token, "ladder", "freeze", "winter/ttt");
  const played = (await matches()).find(({ replayHash }) => replayHash !== "")!;
  const listed = await at.as(ann.token, "ladder", "matches", "winter/ttt");
  const line = listed.stdout.split("\n").find((each) => each.startsWith(played.id))!;
  expect(line).toMatch(
    / +\d{4}-\S+ \S+ +placement +(first v1 -?[01], from the end v1 -?[01]|from the end v1 -?[01], first v1 -?[01]) +completed$/,
  );
  expect((await matches("--agent", "from the end")).map(({ id }) => id)).toContain(played.id);
  expect(await matches("--limit", "1")).toHaveLength(1);

  const file = join(at.folder, "game.jsonl");
  const fetched = await at.as(ann.token, "replay", "fetch", played.id, "--output", file);
  expect(fetched).toMatchObject({
    code: 0,
    stderr: "",
    stdout: expect.stringMatching(/^Wrote .*game.jsonl \(\d+ KiB\).\n/),
  });
  const verified = await at.as(null, "replay", "verify", file);
  expect(verified.code).toBe(0);
  expect(verified.stdout).toContain(`hash ${played.replayHash}`);
  const packed = await at.json(ben.token, "replay", "fetch", played.id, "--output", `${file}.gz`);
  expect(packed).toEqual({ match: played.id, file: `${file}.gz`, bytes: readFileSync(file).byteLength });
  expect((await at.as(null, "replay", "verify", `${file}.gz`)).code).toBe(0);

  const stranger = await at.server.person("Sam", { scope: "participant" });
  const refused = await at.as(stranger.token, "replay", "fetch", played.id, "--output", join(at.folder, "no.jsonl"));
  expect(refused).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("does not exist") });
  expect(() => readFileSync(join(at.folder, "no.jsonl"))).toThrow(/ENOENT/);
  expect((await at.as(null, "replay", "fetch", played.id)).stderr).toContain("nobody is logged in");
}, 120_000);

test("a player reads what his agent wrote and not what the other's did; with -f until the match ended", async () => {
  const { jobId } = (await matches()).find(({ state }) => state === "ended")!;
  const own = await at.as(ann.token, "logs", jobId);
  expect(own).toMatchObject({ code: 0, stderr: "" });
  expect(own.stdout).toMatch(/^== seat [01], attempt 1 ==\n(I think\n)+$/);
  expect((await at.as(ben.token, "logs", jobId)).stdout).not.toContain("I think");
  const { pieces } = (await at.json(ann.token, "logs", jobId)) as { pieces: { text: string }[] };
  expect(pieces.map(({ text }) => text).join("")).toContain("I think\n");
  // A match that is still to be played.
  await worker?.stop();
  const { rows: board } = (await at.json(null, "leaderboard", "winter/ttt")) as { rows: { agentId: string }[] };
  const { ladderId } = (await matches())[0]!;
  const { match } = await ann.client.matches.requestMatch({ ladderId, agentIds: board.map(({ agentId }) => agentId) });
  const followed = at.as(ann.token, "logs", "-f", match!.jobId);
  expect((await at.as(ann.token, "logs", match!.jobId)).stdout).toBe("");
  await beginWork();
  expect((await followed).stdout).toMatch(/^== seat [01], attempt 1 ==\n(I think\n)+$/);
  expect((await at.json(ann.token, "status", match!.jobId)) as object).toMatchObject({ state: "STATE_ENDED" });
  expect((await at.as(ann.token, "logs", "0192c7a4-8a0e-7d3c-9a51-0c3f3a1d2b4e")).stderr).toContain("the job");
}, 60_000);

test("anybody reads a public ladder's table, and its ratings verify", async () => {
  const board = await at.as(null, "leaderboard", "winter/ttt");
  expect(board).toMatchObject({ code: 0, stderr: "" });
  expect(board.stdout).toMatch(/^ttt \(tic-tac-toe\), frozen: 2 agents, \d+ match(es)?\n\nrank +agent +by +v +rating/);
  expect(board.stdout).toMatch(/ (first|from the end)( \(new\))? +(Ann|Ben) +1 +/);
  expect(await at.json(null, "leaderboard", "winter/ttt", "--top", "1")).toMatchObject({ rows: [{ rank: 1 }] });
  expect((await at.as(olga.token, "ladder", "verify", "winter/ttt")).stdout).toMatch(/as they stand\.\n$/);
  expect((await at.as(ann.token, "ladder", "head-to-head", "winter/ttt")).stdout).toMatch(/^first +from the end +\d/m);
  const withdrawn = await at.as(ben.token, "ladder", "withdraw", "winter/ttt", "from the end");
  expect(withdrawn).toMatchObject({ code: 0, stdout: "Withdrawn. Its matches stay in the log.\n" });
  expect((await at.as(null, "leaderboard", "winter/ttt")).stdout).toContain("1 agent,");
  expect((await at.as(ben.token, "ladder", "withdraw", "winter/ttt", "nobody")).stderr).toContain('no agent "nobody"');
});
