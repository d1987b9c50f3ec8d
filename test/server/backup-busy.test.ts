/** A server whose ladder is being played, backed up by the command, and what a new folder makes of that file. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LanistaClient } from "@lanista/api/client";
import { OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { Job_State } from "@lanista/api/gen/lanista/v1/jobs_pb";
import { zipAgent } from "@lanista/arena/agents/zip-agent";
import { verifyReplay } from "@lanista/arena/replay-verify";
import { sha256 } from "@lanista/arena/sha256";
import { environments } from "@lanista/games/registry";
import { parseReplay } from "@lanista/games/replay";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ADMINISTRATOR, exit, init, ran, type Served, serve, signed } from "./support/serve-command.ts";
import { slow } from "./support/worker-world.ts";

const SPACE = "course";
let base: string;
let children: ChildProcess[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "lanista-busy-"));
  children = [];
});
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = exit(child);
    child.kill("SIGTERM");
    await ended;
  }
  rmSync(base, { recursive: true, force: true });
});

/** A ladder that two participants' agents are handed in to. */
async function ladderOf(up: Served, administrator: LanistaClient): Promise<string> {
  await administrator.spaces.createSpace({ slug: SPACE, title: "Course" });
  const invitation = { space: SPACE, role: 1, validSeconds: 3600n, uses: 2 };
  const { code } = await administrator.spaces.createInvitation(invitation);
  const { ladder } = await administrator.ladders.createLadder({
    space: SPACE,
    slug: "busy",
    title: "Busy",
    rules: { env: "tic-tac-toe", cooldownSeconds: -1, parallelMatches: 2 },
  });
  const script = join(base, "agent.py");
  for (const [name, seconds] of [
    ["ann", 0.1],
    ["ben", 0.2],
  ] as const) {
    const person = { name, email: `${name}@example.org`, password: "long enough it is", invitation: code };
    const client = await signed(up, "sign-up", person);
    writeFileSync(script, slow(seconds));
    const zip = await zipAgent(script);
    await client.submissions.submit({ ladderId: ladder!.id, agent: name, bundle: { case: "zip", value: zip } });
  }
  return ladder!.id;
}

test("backed up while its ladder is played, a server goes on in a new folder: every job ends, and all is there", async () => {
  const [old, fresh, file] = [join(base, "old"), join(base, "new"), join(base, "backup.tar.gz")];
  for (const folder of [old, fresh]) mkdirSync(folder);
  const first = await serve(old, children);
  const before = await init(first.up);
  const ladderId = await ladderOf(first.up, before);
  const played = async (client: LanistaClient): Promise<number> =>
    Number((await client.ladders.getLadder({ ladder: ladderId })).ladder!.matches);
  await expect.poll(() => played(before), { timeout: 120_000, interval: 100 }).toBeGreaterThanOrEqual(3);

  const least = await played(before);
  expect(await ran(base, ["backup", file, "--data-dir", old])).toMatchObject({ ended: "0" });
  // It was played meanwhile, and is played on.
  const most = await played(before);
  await expect.poll(() => played(before), { timeout: 120_000, interval: 100 }).toBeGreaterThan(most);
  const ended = exit(first.child);
  first.child.kill("SIGTERM");
  await ended;

  expect(await ran(base, ["restore", file, "--data-dir", fresh])).toMatchObject({ ended: "0" });
  const second = await serve(fresh, children);
  const after = await signed(second.up, "sign-in", ADMINISTRATOR);
  const restored = await played(after);
  expect(restored).toBeGreaterThanOrEqual(least);
  await expect.poll(() => played(after), { timeout: 120_000, interval: 100 }).toBeGreaterThan(Math.max(most, restored));
  await after.ladders.freezeLadder({ ladderId, frozen: true });
  const jobs = async (...states: Job_State[]) =>
    (await after.jobs.listJobs({ space: SPACE, all: true, states, page: { size: 200 } })).jobs;
  await expect.poll(() => jobs(Job_State.WAITING, Job_State.RUNNING), { timeout: 120_000, interval: 250 }).toEqual([]);
  expect(await jobs(Job_State.DEAD)).toEqual([]);

  const verdict = await after.ladders.verifyLadder({ ladderId });
  expect(verdict).toMatchObject({ equal: true, agents: 2, differences: [] });
  const { matches } = await after.matches.listMatches({ space: SPACE, ladderId, page: { size: 200 } });
  // Those that still waited when the ladder was frozen were never played.
  const completed = matches.filter(({ outcome }) => outcome?.kind !== OutcomeKind.CANCELLED);
  // The two that were played at that moment may have ended without being rated.
  expect(completed.length - Number(verdict.matches)).toBeOneOf([0, 1, 2]);
  expect(completed.length).toBeGreaterThan(restored);
  for (const { id, jobId, outcome, replayHash } of completed) {
    expect(outcome?.kind).toBe(OutcomeKind.COMPLETED);
    let replay = "";
    for await (const { text } of after.replays.getReplay({ matchId: id })) replay += text;
    expect(verifyReplay(parseReplay(replay, sha256), environments)).toMatchObject({ ok: true, hash: replayHash });
    let log = "";
    for await (const { text } of after.jobs.readLog({ jobId })) log += text;
    expect(log).toContain("thinking\n");
  }
}, 900_000);
