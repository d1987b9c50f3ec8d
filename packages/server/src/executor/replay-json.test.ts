import { readFileSync } from "node:fs";
import { sha256 } from "@lanista/arena/sha256";
import { environments } from "@lanista/games/registry";
import { parseReplay } from "@lanista/games/replay";
import { describe, expect, test } from "vitest";
import { parseLimits } from "./limits-file.ts";
import { type ReplayAbout, replayDocument } from "./replay-json.ts";

const golden = (name: string) =>
  parseReplay(readFileSync(new URL(`../../../../test/replays/${name}.jsonl`, import.meta.url), "utf8"), sha256);
const about: ReplayAbout = {
  matchId: "m-1",
  agents: [
    { agent_id: "ada", version: "3" },
    { agent_id: "björn", version: "" },
  ],
  startTime: 1000,
  endTime: 1010.5,
  winner: "ada",
  status: "completed",
};
const document = (name: string, options = "") =>
  replayDocument(golden(name), environments, about, parseLimits(`replay: {${options}}`, "x").replay)!;

describe("RL Arena's replay", () => {
  test("has the keys its users know, for each step", () => {
    const pong = golden("pong");
    const { steps } = pong.episodes[0]!;
    const { metadata, frames, version } = document("pong");
    expect(version).toBe("1.0");
    expect(metadata).toMatchObject({
      match_id: "m-1",
      environment: "pong",
      agents: [
        { agent_id: "ada", version: "3" },
        { agent_id: "björn", version: "" },
      ],
      start_time: 1000,
      end_time: 1010.5,
      total_steps: steps.length,
      winner: "ada",
      status: "completed",
    });
    expect(frames).toHaveLength(steps.length);
    for (const [index, frame] of frames.entries()) {
      expect(Object.keys(frame).sort()).toEqual(
        ["actions", "done", "frame_number", "info", "observations", "rewards", "timestamp"].sort(),
      );
      expect(frame.frame_number).toBe(index);
      expect(frame.actions).toEqual({ ada: steps[index]!.actions[0], björn: steps[index]!.actions[1] });
      expect(frame.observations.ada).toHaveLength(8);
      expect(frame.observations.björn).toEqual(frame.observations.ada);
      expect(frame.done).toBe(index === steps.length - 1);
      expect(frame.timestamp).toBeGreaterThanOrEqual(index === 0 ? 1000 : frames[index - 1]!.timestamp);
    }
    // The scores that the players see in the observation are the sum of the rewards.
    const last = frames.at(-1)!.observations.ada as number[];
    const won = (name: string) => frames.filter(({ rewards }) => rewards[name]! > 0).length;
    expect([last[6], last[7]]).toEqual([won("ada"), won("björn")]);
  });

  test("summarises: frames, duration, rewards, thinking and errors of each agent", () => {
    const { statistics, frames } = document("tic-tac-toe");
    const { episodes } = golden("tic-tac-toe");
    const steps = episodes.flatMap((episode) => episode.steps);
    expect(statistics).toMatchObject({
      match_id: "m-1",
      total_frames: steps.length,
      duration_sec: 10.5,
      winner: "ada",
      status: "completed",
    });
    const sums = [0, 1].map((seat) => steps.reduce((sum, { rewards }) => sum + (rewards?.[seat] ?? 0), 0));
    const errors = [0, 1].map((seat) => steps.filter(({ faults }) => (faults?.[seat] ?? null) !== null).length);
    const acted = [0, 1].map((seat) => steps.filter(({ actions }) => actions[seat] !== null).length);
    expect(Math.max(...errors)).toBeGreaterThan(0);
    for (const [seat, name] of ["ada", "björn"].entries())
      expect((statistics.agent_stats as Record<string, object>)[name]).toMatchObject({
        total_reward: sums[seat],
        avg_reward: sums[seat]! / steps.length,
        errors: errors[seat],
        actions: acted[seat],
      });
    expect(frames.filter(({ done }) => done)).toHaveLength(episodes.length);
    expect(frames.filter(({ info }) => info.faults !== undefined)).toHaveLength(
      steps.filter(({ faults }) => faults?.some((fault) => fault !== null)).length,
    );
  });

  test("folds observations by the space's shape, and names who was to act alone", () => {
    const { frames } = document("connect-four");
    const board = frames[0]!.observations.ada as number[][][];
    const { shape } = environments.get("connect-four")!.make({ rows: 6, columns: 7 } as never).info.observation as {
      shape: readonly number[];
    };
    expect([board.length, board[0]!.length, board[0]![0]!.length]).toEqual([...shape]);
    expect(frames.slice(0, 3).map(({ actions }) => Object.keys(actions))).toEqual([["ada"], ["björn"], ["ada"]]);
  });

  test("max_frames, include_observations and include_actions bite; the statistics stay whole", () => {
    const whole = document("pong");
    const cut = document("pong", "max_frames: 5, include_observations: false, include_actions: false");
    expect(cut.frames).toHaveLength(5);
    expect(
      cut.frames.every(({ observations, actions }) => Object.keys({ ...observations, ...actions }).length === 0),
    ).toBe(true);
    expect(cut.frames[4]!.rewards).toEqual(whole.frames[4]!.rewards);
    expect(cut.metadata).toEqual(whole.metadata);
    expect(cut.statistics).toEqual({ ...whole.statistics, total_frames: 5 });
  });

  test("names a forfeit", () => {
    const { metadata } = document("othello-forfeit");
    expect(metadata.forfeits).toEqual({ björn: "crash" });
  });

  test("keeps names apart from what JavaScript makes of them", () => {
    const evil = {
      ...about,
      agents: [
        { agent_id: "__proto__", version: "" },
        { agent_id: "constructor", version: "" },
      ],
    };
    const made = replayDocument(golden("pong"), environments, evil, parseLimits("", "x").replay)!;
    expect(Object.keys(made.frames[0]!.rewards)).toEqual(["__proto__", "constructor"]);
    expect(JSON.stringify(made.frames[0])).toContain('"__proto__":');
  });

  test("is not made of what the rules contradict", () => {
    const replay = golden("pong");
    const forged = { ...replay, final: { ...replay.final, scores: [11, -11] } };
    expect(replayDocument(forged, environments, about, parseLimits("", "x").replay)).toBeNull();
  });
});
