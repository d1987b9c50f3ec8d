import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeEnvironment } from "@lanista/games/environment";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import { afterAll, beforeAll, expect, test } from "vitest";
import { playMatch } from "./match.ts";
import { Stage } from "./testing/scripted.ts";
import { playTournament } from "./tournament.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const env = makeEnvironment(ticTacToe as never);

test("a replay and logs that cannot be written leave the result as it is", async () => {
  const blocked = join(stage.dir, "blocked");
  writeFileSync(blocked, "");
  const replay = join(blocked, "match.jsonl");
  const contenders = [stage.agent("a"), stage.agent("b")];
  const { result } = await playMatch({ env, contenders, replay, seed: 1 });
  expect(result.outcome).toEqual({ kind: "completed" });
  expect(result.seats.map(({ score, log }) => [score, log])).toEqual([
    [1, null],
    [-1, null],
  ]);
  expect(result.replay).toEqual({ file: null, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(result.unwritten.map(({ file }) => file)).toEqual([
    replay,
    join(blocked, "match.seat-0.log"),
    join(blocked, "match.seat-1.log"),
  ]);
  for (const { error } of result.unwritten) expect(error).toMatch(/EEXIST|ENOTDIR/);
});

test("a tournament goes on past a match whose replay cannot be written", async () => {
  const replays = join(stage.dir, "replays");
  mkdirSync(join(replays, "match-1.jsonl"), { recursive: true });
  const contenders = [stage.agent("a"), stage.agent("b")];
  const { matches, table } = await playTournament({ env, contenders, replays, concurrency: 1 });
  expect(matches.map(({ result }) => [result.outcome.kind, result.unwritten.length])).toEqual([
    ["completed", 1],
    ["completed", 0],
  ]);
  expect(table.map((row) => row.played)).toEqual([2, 2]);
});
