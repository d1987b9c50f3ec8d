import { readdirSync } from "node:fs";
import { join } from "node:path";
import { makeEnvironment } from "@lanista/games/environment";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import { SandboxError } from "@lanista/sandbox/errors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roundRobin } from "./pairings.ts";
import { Stage } from "./testing/scripted.ts";
import { playTournament, type TournamentProgress } from "./tournament.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const env = makeEnvironment(ticTacToe as never);
const LAST = 'ready()\nfor q in questions(): answer(q, len(q["action_mask"]) - 1 - q["action_mask"][::-1].index(1))';
const CRASH = "ready(); read()";

describe("a round robin", () => {
  test("seats every pair both ways in every round", () => {
    const pairings = roundRobin(4, 2, 3);
    expect(pairings.length).toBe(3 * 12);
    for (let round = 0; round < 3; round++) {
      const seen = pairings.filter((pairing) => pairing.round === round).map(({ agents }) => agents.join("-"));
      expect(new Set(seen).size).toBe(12);
      expect(seen).toContain("2-1");
    }
  });
  test("rotates more seats, and lets one seat play alone", () => {
    expect(roundRobin(3, 3, 1).map(({ agents }) => agents.join(""))).toEqual(["012", "120", "201"]);
    expect(roundRobin(2, 1, 1).map(({ agents }) => agents)).toEqual([[0], [1]]);
  });
});

test("a tournament gives a table, replays, progress, and the same for the same seed", async () => {
  const contenders = [stage.agent("first"), stage.agent("last", LAST), stage.agent("crash", CRASH)];
  const events: TournamentProgress[] = [];
  const replays = join(stage.dir, "replays");
  const request = { env, contenders, rounds: 2, concurrency: 2, seed: 9 };
  const result = await playTournament({ ...request, replays, onProgress: (event) => events.push(event) });
  const table = Object.fromEntries(result.table.map(({ agent, ...row }) => [agent, row]));
  expect(table.crash).toMatchObject({ rank: 3, played: 8, won: 0, lost: 8, faults: 8, points: 0, score: -8 });
  for (const name of ["first", "last"])
    expect(table[name]).toMatchObject({ played: 8, won: 6, lost: 2, faults: 0, points: 6 });
  expect(events.map((event) => event.done)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  expect(readdirSync(replays).filter((name) => name.endsWith(".jsonl"))).toHaveLength(12);
  expect(new Set(result.matches.map((match) => match.result.seed)).size).toBe(12);
  const again = await playTournament(request);
  const hashes = (one: typeof again) => one.matches.map((match) => match.result.replay.hash);
  expect(hashes(again)).toEqual(hashes(result));
});

test("without a seed every match draws its own, and tells it", async () => {
  const play = () => playTournament({ env, contenders: [stage.agent("a"), stage.agent("b")] });
  const [one, two] = [await play(), await play()];
  expect(one.seed).toBeNull();
  const seeds = [...one.matches, ...two.matches].map((match) => match.result.seed);
  expect(new Set(seeds).size).toBe(4);
  expect(seeds.every((seed) => Number.isSafeInteger(seed))).toBe(true);
});

test("a fault of ours is no loss", async () => {
  const broken = { ...stage.agent("broken"), open: () => Promise.reject(new SandboxError("fault", "no box")) };
  const { table } = await playTournament({ env, contenders: [stage.agent("fine"), broken], attempts: 1 });
  for (const row of table) expect(row).toMatchObject({ played: 0, lost: 0, infraFaults: 2, rank: 1 });
});

test("what this host refuses ends the tournament", async () => {
  const refused = {
    ...stage.agent("refused"),
    open: () => Promise.reject(new SandboxError("refused", "no such tier")),
  };
  await expect(playTournament({ env, contenders: [stage.agent("fine"), refused] })).rejects.toThrow("no such tier");
});

test("a cancelled tournament keeps what was played", async () => {
  const abort = new AbortController();
  const contenders = [stage.agent("a"), stage.agent("b"), stage.agent("c")];
  const onProgress = ({ done }: TournamentProgress): void => {
    if (done === 2) abort.abort();
  };
  const result = await playTournament({ env, contenders, concurrency: 1, signal: abort.signal, onProgress });
  expect(result.cancelled).toBe(true);
  expect(result.matches).toHaveLength(2);
});

test("too few agents are refused", async () => {
  await expect(playTournament({ env, contenders: [stage.agent("a")] })).rejects.toThrow("at least 2 agents");
});
