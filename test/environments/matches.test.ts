/** Matches of real agents in environments from bundles, each in a box of its own, on every runtime; their replays verified. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { takeBundledEnvironment } from "@lanista/arena/bundled/take";
import { verifyReplay, verifyReplayIn } from "@lanista/arena/replay-verify";
import { sha256 } from "@lanista/arena/sha256";
import { environments } from "@lanista/games/registry";
import { parseReplay } from "@lanista/games/replay";
import { PackageSets } from "@lanista/sandbox/python/package-sets";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GUEST, LIBRARIES, Workplace } from "./support.ts";

let work: Workplace;
beforeAll(async () => {
  work = await Workplace.open();
});
afterAll(() => work.close());

const taken = (name: string) =>
  takeBundledEnvironment(join(import.meta.dirname, "bundles", name), join(work.dir, "taken"));
const read = (text: string) => parseReplay(text, sha256);

/** Strikes as its seat's number says; looks at what it is shown first. */
const DUELLIST = `
class Agent:
    def __init__(self, player_id): self.me, self.turn = player_id, 0
    def act(self, points):
        assert len(points) == 3
        self.turn += 1
        return [(self.me + self.turn) % 4, self.turn % 2]
`;
const COOK = `
import math
def act(seen):
    assert seen["bits"] is not None and len(seen["pair"]) == 2 and isinstance(seen["pair"][1], str)
    odd = seen["double"][0]
    return [0.123456789 if math.isfinite(odd) else -1, 3]
`;

describe.skipIf(LIBRARIES === null)("a match in a bundled environment", () => {
  test.each([
    { tier: "container", runtime: "crun" },
    { tier: "container", runtime: "runc" },
    { tier: "gvisor", runtime: "runsc", giveUp: ["pids"] },
  ] as const)("is the same under $runtime, and its replay is verified", async (box) => {
    const source = await (await work.boxes(box)).source(await taken("duel"));
    try {
      const { result, replayText } = await work.play(source, [DUELLIST, DUELLIST, DUELLIST], { ...box, episodes: 3 });
      expect(result.outcome, JSON.stringify(result.outcome)).toEqual({ kind: "completed" });
      expect(result).toMatchObject({
        env: "duel",
        envVersion: 3,
        episodes: 3,
        environment: { bundle: source.bundle, sandbox: { runtime: box.runtime, tier: box.tier } },
      });
      const replay = read(replayText);
      // Recorded once: test/environments/duel.jsonl. Whatever runs it, the same match has the same hash.
      const golden = read(readFileSync(join(import.meta.dirname, "duel.jsonl"), "utf8"));
      expect(replay.hash).toBe(golden.hash);
      expect(await verifyReplayIn(golden, source)).toMatchObject({ ok: true, hash: golden.hash, episodes: 3 });
      if (box.runtime !== "crun") return;
      expect(verifyReplay(replay, environments)).toMatchObject({
        ok: false,
        what: expect.stringContaining("not here"),
      });
      const forged = { ...replay, header: { ...replay.header, seed: 6 } };
      expect(await verifyReplayIn(forged, source)).toMatchObject({ ok: false });
      const [first] = replay.episodes;
      const steps = first!.steps.map((step, i) => (i === 1 ? { ...step, rewards: [9, 9, 9] } : step));
      const lying = { ...replay, episodes: [{ ...first!, steps }, ...replay.episodes.slice(1)] };
      expect(await verifyReplayIn(lying, source)).toMatchObject({ ok: false, episode: 0, step: 1 });
    } finally {
      await source.close();
    }
  });

  test("shows agents parts, texts and odd floats, takes floats of them, and keeps to its options", async () => {
    const source = await (await work.boxes()).source(await taken("kitchen"), { rounds: 9 });
    try {
      const { result, replayText } = await work.play(source, [COOK], { logs: join(work.dir, "logs") });
      expect(result.outcome, JSON.stringify(result.outcome)).toEqual({ kind: "completed" });
      expect(result).toMatchObject({ steps: 9, options: { rounds: 9 } });
      expect(readFileSync(result.environment!.log!, "utf8")).toMatch(/^(printed, and in nobody's way\n){9}$/);
      const replay = read(replayText);
      expect(replay.episodes[0]!.steps[1]!.actions).toEqual([[-1, 3]]);
      expect(replay.episodes[0]!.steps[4]!.actions).toEqual([[Math.fround(0.123456789), 3]]);
      expect(replay.episodes[0]!.end).toMatchObject({ kind: "truncated" });
      expect(await verifyReplayIn(replay, source)).toMatchObject({ ok: true });
    } finally {
      await source.close();
    }
  });

  test("goes on by substitutes where an agent's lists are none, and a replay of these is verified", async () => {
    const source = await (await work.boxes()).source(await taken("duel"));
    try {
      const wrong = "def act(seen): return [9, 9]";
      const { result, replayText } = await work.play(source, [DUELLIST, wrong, "def act(seen): return None"], {
        onFault: "random",
      });
      expect(result.outcome).toEqual({ kind: "completed" });
      expect(result.seats[1]!.faultKinds).toMatchObject({ illegal_action: expect.any(Number) });
      expect(result.seats[2]!.faultKinds).toMatchObject({ crash: expect.any(Number) });
      expect(await verifyReplayIn(read(replayText), source)).toMatchObject({ ok: true });
    } finally {
      await source.close();
    }
  });

  test("takes actions of parts and texts, in the form of their space alone, and its replay is verified", async () => {
    const source = await (await work.boxes()).source(await taken("pantry"));
    const action = (note: string, half = "[0.5, -1]") =>
      `{"whole": [[1, 2], [3, 9]], "note": ${note}, "2": -2, "1": ([0, 1, 1], {"half": ${half}, "many": [2, 3]})}`;
    const agent = `
turn = 0
def act(seen):
    global turn
    turn += 1
    if turn == 2: return ${action("'a' * 7")}
    if turn == 3: return ${action("'c'")}
    if turn == 4: return ${action("'a'", "[0.5, -1.5]")}
    if turn == 5: return {"whole": 1}
    return ${action(`'ab "\\\\\\n'`)}
`;
    try {
      const { result, replayText } = await work.play(source, [agent], { onFault: "random" });
      expect(result.outcome, JSON.stringify(result.outcome)).toEqual({ kind: "completed" });
      expect(result.seats[0]!.faultKinds, result.seats[0]!.firstFault ?? "").toEqual({ illegal_action: 3, crash: 1 });
      const replay = read(replayText);
      expect(replay.episodes[0]!.steps[0]!.actions).toEqual([
        [
          [
            [0, 1, 1],
            [
              [0.5, -1],
              [2, 3],
            ],
          ],
          -2,
          'ab "\\\n',
          [1, 2, 3, 9],
        ],
      ]);
      expect(await verifyReplayIn(replay, source)).toMatchObject({ ok: true, steps: 25 });
    } finally {
      await source.close();
    }
  });

  test("has the packages of its own requirements", async () => {
    const sets = await PackageSets.open({ host: work.host, guestDir: GUEST });
    try {
      const bundle = await work.bundle({
        "environment.yaml":
          "environment: 1\nid: lake\nentry: gymnasium:FrozenLake-v1\napi: gymnasium\nkwargs: {render_mode: ansi}\n",
        "requirements.txt": "gymnasium==1.4.0\n",
      });
      const boxes = await work.boxes({
        packages: (requirements, signal) => sets.ensure(requirements, signal ? { signal } : {}),
      });
      const source = await boxes.source(bundle);
      try {
        const { result, board } = await work.play(source, ["def act(seen): return 1"]);
        expect(result.outcome).toEqual({ kind: "completed" });
        expect(board).toContain("FHFH");
        expect(board).not.toContain("\u001b");
      } finally {
        await source.close();
      }
    } finally {
      await sets.close();
    }
  });
});
