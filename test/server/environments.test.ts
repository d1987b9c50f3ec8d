/** Environments that are handed in: checked by a real worker, played on ladders in boxes of their own, replayed; and what becomes of those that fail. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { LanistaClient } from "@lanista/api/client";
import { fromWire } from "@lanista/api/errors";
import { SpaceEnvironment_State as State } from "@lanista/api/gen/lanista/v1/environments_pb";
import type { LadderRulesSchema } from "@lanista/api/gen/lanista/v1/ladders_pb";
import { Submission_State } from "@lanista/api/gen/lanista/v1/submissions_pb";
import { EnvironmentBoxes } from "@lanista/arena/bundled/environment-boxes";
import { takeBundledEnvironment } from "@lanista/arena/bundled/take";
import { verifyReplayIn } from "@lanista/arena/replay-verify";
import { sha256 } from "@lanista/arena/sha256";
import { parseReplay } from "@lanista/games/replay";
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pythonPackages } from "./python.ts";
import { zipOf } from "./support/course-world.ts";
import { WorkerWorld } from "./support/worker-world.ts";

const ROOT = join(import.meta.dirname, "../..");
const LIBRARIES = pythonPackages(join(ROOT, "test/environments/requirements.txt"));

let world: WorkerWorld;
let olga: LanistaClient;
let ada: LanistaClient;
let bob: LanistaClient;
let good: Awaited<ReturnType<typeof handedIn>>;

beforeAll(async () => {
  world = await WorkerWorld.open();
  await world.worker({ concurrency: 2 });
  olga = await world.person("olga", true);
  await olga.spaces.createSpace({ slug: "winter", title: "Winter" });
  const { code } = await olga.spaces.createInvitation({ space: "winter", role: 1, validSeconds: 3600n, uses: 10 });
  [ada, bob] = [await world.person("ada", false), await world.person("bob", false)];
  for (const client of [ada, bob]) await client.spaces.acceptInvitation({ code });
  good = await handedIn(bundle());
}, 60_000);
afterAll(() => world.close());

/** Two seats say a number at once; whoever says the greater one wins the step. No library: spaces are known by their classes' names. */
const PENNIES = `
import os, random, time
class Discrete:
    def __init__(self, n): self.n = n
    def seed(self, seed): pass
class Pennies:
    possible_agents = ["left", "right"]
    def __init__(self, mood, n=4): self.mood, self.n = mood, n
    def action_space(self, agent): return Discrete(self.n)
    def observation_space(self, agent): return Discrete(100)
    def shown(self): return {agent: random.randrange(100) for agent in self.agents}
    def reset(self, seed=None, options=None):
        self.agents, self.steps = list(self.possible_agents), 0
        return self.shown(), {agent: {} for agent in self.agents}
    def step(self, actions):
        self.steps += 1
        if self.mood == "crash": raise RuntimeError("no idea")
        if self.mood == "hang": time.sleep(60)
        if self.mood == "garbage": os.write(4, b"garbage\\n")
        if self.mood == "loss" : os._exit(1)
        won = (actions["left"] > actions["right"]) - (actions["left"] < actions["right"])
        over = self.steps == 3
        told = self.shown(), {"left": float(won), "right": float(-won)}, dict.fromkeys(self.agents, over), dict.fromkeys(self.agents, False), {}
        if over: self.agents = []
        return told
`;
const manifest = (more = ""): string => `
environment: 1
id: pennies
title: Pennies
entry: pennies:Pennies
api: pettingzoo-parallel
zero_sum: true
return_range: [-3, 3]
options:
  mood: {type: string, enum: [fair, crash, hang, garbage, loss], default: fair}
limits: {memory_mb: 96, pids: 16, step_seconds: 3}
${more}`;
const bundle = (source = PENNIES, more = ""): Buffer =>
  zipOf({ "environment.yaml": manifest(more), "pennies.py": source });
const says = (n: number): string => `def act(seen):\n    assert 0 <= seen < 100\n    return ${n}\n`;

async function upload(bytes: Buffer): Promise<string> {
  const digest = createHash("sha256").update(bytes).digest("hex");
  const { upload } = await olga.agents.createUpload({ space: "winter", digest, sizeBytes: BigInt(bytes.byteLength) });
  if (!upload!.complete) await olga.agents.uploadPart({ uploadId: upload!.id, offset: 0n, data: bytes });
  return upload!.id;
}

async function handedIn(bytes: Buffer, ms = 60_000) {
  const { environment } = await olga.environments.addEnvironment({ space: "winter", uploadId: await upload(bytes) });
  await world.ended(environment!.jobId, ms);
  return (await olga.environments.getSpaceEnvironment({ environmentId: environment!.id })).environment!;
}

async function ladderOf(slug: string, rules: MessageInitShape<typeof LadderRulesSchema>, agents: readonly string[]) {
  const { ladder } = await olga.ladders.createLadder({
    space: "winter",
    slug,
    title: slug,
    rules: { cooldownSeconds: -1, parallelMatches: 1, ...rules },
  });
  for (const [i, client] of [ada, bob].entries()) {
    const zip = Buffer.from(await world.server.app.store.get(await world.bundle(agents[i]!)));
    const handed = { ladderId: ladder!.id, agent: `${slug} ${i}`, bundle: { case: "zip" as const, value: zip } };
    const { submission } = await client.submissions.submit(handed);
    await world.ended(submission!.jobId, 60_000);
    const { submission: after } = await client.submissions.getSubmission({ submissionId: submission!.id });
    expect(after).toMatchObject({ state: Submission_State.ACCEPTED, errors: [] });
  }
  return ladder!;
}

/** The first match that is over. */
async function played(ladderId: string, ms = 60_000) {
  const over = async () =>
    (await olga.matches.listMatches({ space: "winter", ladderId })).matches.filter(({ outcome }) => outcome);
  await expect.poll(async () => (await over()).length, { timeout: ms, interval: 200 }).toBeGreaterThan(0);
  return (await over()).at(-1)!;
}

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: unknown) => fromWire(error).code,
  );

test("an environment is played in only once a worker has found it good", async () => {
  const uploadId = await upload(bundle());
  expect(await codeOf(ada.environments.addEnvironment({ space: "winter", uploadId }))).toBe("forbidden");
  expect(await codeOf(ada.environments.listSpaceEnvironments({ space: "winter" }))).toBe("forbidden");
  const none = await handedIn(zipOf({ "README.md": "no environment" }));
  expect(none).toMatchObject({ state: State.REFUSED, findings: [{ check: "bundle" }], env: "", seats: [] });
  const loads = await handedIn(bundle("import nothing_of_that_name\n"));
  expect(loads).toMatchObject({ state: State.REFUSED, findings: [{ check: "opens" }] });
  expect(loads.findings[0]!.message).toContain("nothing_of_that_name");
  const graph = PENNIES.replace("return Discrete(100)", "return type('Graph', (), {})()");
  expect(await handedIn(bundle(graph))).toMatchObject({ state: State.REFUSED, findings: [{ check: "opens" }] });
  const clock = PENNIES.replaceAll("random.randrange(100)", "time.time_ns() // 1000 % 100");
  const drawn = await handedIn(bundle(clock));
  expect(drawn.state).toBe(State.REFUSED);
  expect(drawn.findings.map(({ check }) => check)).toContain("determinism");
  const rules = { env: "", environmentId: drawn.id };
  const wanted = { space: "winter", slug: "bad", title: "Bad", rules };
  expect(await codeOf(olga.ladders.createLadder(wanted))).toBe("conflict");
  // Another space's is none of this one's.
  await olga.spaces.createSpace({ slug: "summer", title: "Summer" });
  expect(good).toMatchObject({ state: State.READY, env: "pennies", findings: [], seats: [{ name: "left" }, {}] });
  const elsewhere = { ...wanted, space: "summer", rules: { env: "", environmentId: good.id } };
  expect(await codeOf(olga.ladders.createLadder(elsewhere))).toBe("invalid");
  for (const more of [{ env: "hex" }, { optionsJson: '{"mood":"bad"}' }, { optionsJson: '{"n":3}' }, { seats: 3 }])
    expect(
      await codeOf(olga.ladders.createLadder({ ...wanted, rules: { environmentId: good.id, ...more } })),
      JSON.stringify(more),
    ).toBe("seats" in more ? "ok" : "invalid");
  expect(await codeOf(olga.ladders.createLadder({ ...wanted, rules: { env: "" } }))).toBe("invalid");
}, 120_000);

test("a ladder is played in it; ratings, the replay and its verification name its files", async () => {
  const zip = bundle(PENNIES, "seats: [left, right]\n");
  const { id, filesDigest } = await handedIn(zip);
  const ladder = await ladderOf("pennies", { environmentId: id }, [says(3), says(1)]);
  expect(ladder.rules).toMatchObject({ env: "pennies", environmentId: id, seats: 2, optionsJson: '{"mood":"fair"}' });
  const match = await played(ladder.id);
  expect(match).toMatchObject({ env: "pennies", environmentFiles: filesDigest, rated: true });
  const scores = Object.fromEntries(match.seats.map(({ agentName, score }) => [agentName, score]));
  expect(scores).toEqual({ "pennies 0": 3, "pennies 1": -3 });
  expect((await olga.ladders.verifyLadder({ ladderId: ladder.id })).equal).toBe(true);
  let text = "";
  for await (const piece of ada.replays.getReplay({ matchId: match.id })) text += piece.text;
  const replay = parseReplay(text, sha256);
  expect(replay).toMatchObject({ header: { env: { id: "pennies", bundle: filesDigest } }, hash: match.replayHash });
  // As whoever downloads both would.
  const pieces: Uint8Array[] = [];
  for await (const { data } of olga.environments.downloadEnvironment({ environmentId: id })) pieces.push(data);
  expect(Buffer.concat(pieces).equals(zip)).toBe(true);
  const file = join(world.dir, "pennies.zip");
  writeFileSync(file, Buffer.concat(pieces));
  const host = await SandboxHost.open();
  try {
    const tools = { tier: "container", guestDir: join(ROOT, "guest"), python: await findPython() } as const;
    const taken = await takeBundledEnvironment(file, join(world.dir, "taken"));
    const source = await new EnvironmentBoxes(host, tools).source(taken, replay.header.env.options);
    expect(await verifyReplayIn(replay, source)).toMatchObject({ ok: true, hash: match.replayHash });
    await source.close();
  } finally {
    await host.close();
  }
  // Once something is logged the ladder stays with these files, whatever the environment is called.
  const { id: other } = await handedIn(bundle(`${PENNIES}\n# Another.\n`));
  const change = olga.ladders.updateLadder({ ladderId: ladder.id, rules: { environmentId: other } });
  expect(await codeOf(change)).toBe("conflict");
}, 120_000);

test("a crash of the environment's is nobody's loss, and is not tried again", async () => {
  const optionsJson = JSON.stringify({ mood: "crash" });
  const ladder = await ladderOf("crash", { environmentId: good.id, optionsJson }, [says(3), says(1)]);
  const match = await played(ladder.id);
  expect(match).toMatchObject({ state: "dead", outcome: { fault: "environment", seats: [] }, replayHash: "" });
  expect(match.outcome!.detail).toMatch(/the environment was at fault.*no idea/s);
  expect(match.seats.map(({ score, fault, muAfter }) => [score, fault, muAfter])).toEqual([
    [undefined, "", undefined],
    [undefined, "", undefined],
  ]);
  expect(await world.attempts(match.jobId)).toHaveLength(1);
  await olga.ladders.freezeLadder({ ladderId: ladder.id, frozen: true });
  const { rows } = await olga.ladders.getLeaderboard({ ladder: ladder.id });
  expect(rows.map(({ matches, losses, mu }) => [matches, losses, mu])).toEqual([
    [0, 0, 25],
    [0, 0, 25],
  ]);
}, 120_000);

test("so is one that hangs, writes garbage or is gone", async () => {
  const agent = await world.bundle(says(1));
  const seats = [agent, agent].map((digest, seat) => ({ name: `${seat}`, bundle: digest }));
  const environment = { bundle: good.digest, files: good.filesDigest };
  const moods = { hang: "no answer to step within 3 s", garbage: "what is no answer", loss: "ended with status 1" };
  for (const [mood, detail] of Object.entries(moods)) {
    const job = await world.match([], { env: "pennies", environment, options: { mood }, seats });
    expect(await world.ended(job.id, 60_000), mood).toMatchObject({
      state: "dead",
      attempt: 1,
      outcome: { kind: "infra_fault", fault: "environment", detail: expect.stringContaining(detail) },
    });
  }
}, 120_000);

test("an agent's own fault stays its own", async () => {
  const ladder = await ladderOf("faults", { environmentId: good.id }, [
    "turn = 0\ndef act(seen):\n    global turn\n    turn += 1\n    return 1 if turn == 1 else 4\n",
    says(1),
  ]);
  const match = await played(ladder.id);
  expect(match).toMatchObject({ state: "ended", outcome: { fault: "illegal_action" } });
  const loser = match.seats.find(({ fault }) => fault !== "")!;
  expect(loser).toMatchObject({ agentName: "faults 0", rank: 2, score: -3 });
}, 60_000);

test("other seats than were asked for are the environment's fault, too", async () => {
  const source = `${PENNIES}
class Crowd(Pennies):
    def __init__(self, mood):
        Pennies.__init__(self, "fair")
        if mood == "loss": self.possible_agents = ["left", "right", "more"]
`;
  const yaml = manifest().replace("pennies:Pennies", "pennies:Crowd");
  const { id, state } = await handedIn(zipOf({ "environment.yaml": yaml, "pennies.py": source }));
  expect(state).toBe(State.READY);
  const rules = { environmentId: id, optionsJson: '{"mood":"loss"}' };
  const { ladder } = await olga.ladders.createLadder({ space: "winter", slug: "crowd", title: "Crowd", rules });
  expect(ladder!.rules!.seats).toBe(2);
  const agent = await world.bundle(says(1));
  const summary = await world.database.db
    .selectFrom("environments")
    .select(["digest", "summary"])
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  const { files } = summary.summary as { files: string };
  const seats = [agent, agent].map((digest, seat) => ({ name: `${seat}`, bundle: digest }));
  const environment = { bundle: summary.digest, files };
  const payload = { env: "pennies", environment, options: { mood: "loss" }, seats };
  const job = await world.match([], payload);
  expect(await world.ended(job.id)).toMatchObject({
    state: "dead",
    attempt: 1,
    outcome: { kind: "infra_fault", fault: "environment", detail: expect.stringContaining("3 seats here, not 2") },
  });
  // Files other than those that were checked are a fault of ours: somebody changed what lies in the store.
  const other = { ...payload, environment: { ...environment, files: "0".repeat(64) } };
  const changed = await world.match([], other, { maxAttempts: 1 });
  const { outcome } = await world.ended(changed.id);
  expect(outcome).toMatchObject({ kind: "infra_fault", detail: expect.stringContaining("those that were checked") });
  expect(outcome!.fault).not.toBe("environment");
}, 60_000);

test.skipIf(LIBRARIES === null)(
  "PettingZoo's own environment is played with its packages",
  async () => {
    const files = {
      "environment.yaml":
        "environment: 1\nid: rps\nentry: pettingzoo.classic.rps_v2:env\napi: pettingzoo-aec\nkwargs: {max_cycles: 4}\n",
      "requirements.txt": readFileSync(join(ROOT, "test/environments/requirements.txt"), "utf8"),
    };
    const handed = await handedIn(zipOf(files), 300_000);
    expect(handed, JSON.stringify(handed.findings)).toMatchObject({ state: State.READY, env: "rps" });
    const ladder = await ladderOf("rps", { environmentId: handed.id }, [
      "def act(seen): return 1\n",
      "def act(seen): return 2\n",
    ]);
    const match = await played(ladder.id, 120_000);
    expect(match).toMatchObject({ state: "ended", environmentFiles: handed.filesDigest });
    expect(Object.fromEntries(match.seats.map(({ agentName, rank }) => [agentName, rank]))).toEqual({
      "rps 0": 2,
      "rps 1": 1,
    });
  },
  420_000,
);
