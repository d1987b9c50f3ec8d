/** A ladder played by a real worker in real sandboxes, from handing in to the board, a replay and the finals' table. */

import { connect } from "@lanista/api/client";
import { Ladder_State } from "@lanista/api/gen/lanista/v1/ladders_pb";
import { verifyReplay } from "@lanista/arena/replay-verify";
import { sha256 } from "@lanista/arena/sha256";
import { environments } from "@lanista/games/registry";
import { parseReplay } from "@lanista/games/replay";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WorkerWorld } from "./support/worker-world.ts";

let world: WorkerWorld;
beforeAll(async () => {
  world = await WorkerWorld.open();
  await world.worker({ concurrency: 2 });
});
afterAll(() => world.close());

/** Plays its first legal column from the left, or from the right; or stops after a while. */
const AGENTS: Readonly<Record<string, string>> = {
  left: "def get_action(obs):\n    return obs['action_mask'].index(1)\n",
  right: "def get_action(obs):\n    m = obs['action_mask']\n    return max(i for i in range(len(m)) if m[i])\n",
  crasher:
    "moves = 0\ndef get_action(obs):\n    global moves\n    moves += 1\n    assert moves < 3, 'enough'\n    return obs['action_mask'].index(1)\n",
};

test("agents are handed in, matched, rated and shown, and their finals are played", async () => {
  const organiser = await world.person("olga", true);
  await organiser.spaces.createSpace({ slug: "course", title: "Course" });
  const { code } = await organiser.spaces.createInvitation({ space: "course", role: 1, validSeconds: 3600n, uses: 10 });
  const { ladder } = await organiser.ladders.createLadder({
    space: "course",
    slug: "four",
    title: "Connect four",
    public: true,
    rules: { env: "connect-four", cooldownSeconds: -1, parallelMatches: 2 },
  });
  const ladderId = ladder!.id;
  for (const [name, script] of Object.entries(AGENTS)) {
    const client = await world.person(name, false);
    await client.spaces.acceptInvitation({ code });
    const digest = await world.bundle(script);
    const zip = Buffer.from(await world.server.app.store.get(digest));
    await client.submissions.submit({ ladderId, agent: name, bundle: { case: "zip", value: zip } });
  }
  const board = async () => (await connect({ url: world.url }).ladders.getLeaderboard({ ladder: "course/four" })).rows;
  await expect
    .poll(async () => (await board()).map(({ matches }) => matches), { timeout: 120_000, interval: 250 })
    .toSatisfy((matches: number[]) => matches.length === 3 && matches.every((count) => count >= 3));
  const rows = await board();
  const crasher = rows.find(({ agentName }) => agentName === "crasher")!;
  expect(crasher).toMatchObject({ rank: 3, wins: 0, losses: crasher.matches, faults: crasher.matches });

  const { matches } = await organiser.matches.listMatches({ space: "course", ladderId });
  const played = matches.find(({ outcome, replayHash }) => outcome !== undefined && replayHash !== "")!;
  let text = "";
  for await (const piece of organiser.replays.getReplay({ matchId: played.id })) text += piece.text;
  expect(verifyReplay(parseReplay(text, sha256), environments)).toMatchObject({ ok: true, hash: played.replayHash });

  const { matches: planned } = await organiser.ladders.startFinals({ ladderId, rounds: 1 });
  expect(planned).toBe(6);
  await expect
    .poll(async () => (await organiser.ladders.getLadder({ ladder: ladderId })).ladder!.state, {
      timeout: 120_000,
      interval: 250,
    })
    .toBe(Ladder_State.FINISHED);
  const finals = await board();
  expect(finals.at(-1)!.agentName).toBe("crasher");
  expect(finals.reduce((sum, { finalElo }) => sum + finalElo, 0)).toBeCloseTo(0, 6);
  const verdict = await organiser.ladders.verifyLadder({ ladderId });
  expect(verdict).toMatchObject({ equal: true, agents: 3, differences: [] });
}, 300_000);
