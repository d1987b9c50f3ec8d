/** What a match that is played for others needs beside the rules: its own bounds, and word of it while it is played. */
import { makeEnvironment } from "@lanista/games/environment";
import { pong } from "@lanista/games/pong";
import { parseReplay } from "@lanista/games/replay";
import { ReplayError } from "@lanista/games/replay-types";
import { ReplayWriter } from "@lanista/games/replay-writer";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { BundleError } from "./agents/types.ts";
import type { Contender } from "./contender.ts";
import { type PlayedMatch, playMatch } from "./match.ts";
import type { MatchRequest } from "./match-plan.ts";
import { verifyReplay } from "./replay-verify.ts";
import { MAX_LOG } from "./seat-log.ts";
import { sha256 } from "./sha256.ts";
import { FIRST, Stage } from "./testing/scripted.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const board = makeEnvironment(ticTacToe as never);
const table = makeEnvironment(pong as never);
const known = new Map([board, table].map((env) => [env.definition.id, env.definition]));
const STAY = "ready()\nfor q in questions(): answer(q, 1)";
const SLOW = "ready()\nfor q in questions():\n    time.sleep(0.05)\n    answer(q, 1)";
const HANGS = "ready()\ntime.sleep(60)";

function play(scripts: readonly string[], more: Partial<MatchRequest> = {}): Promise<PlayedMatch> {
  const contenders = scripts.map((script, seat) => stage.agent(`agent ${seat}`, script));
  return playMatch({ env: board, contenders, seed: 7, moveSeconds: 2, attempts: 1, ...more });
}

const verdict = (text: string) => verifyReplay(parseReplay(text, sha256), known);

test("gives the lines of its replay as they are written, and no other", async () => {
  const lines: string[] = [];
  const { replayText } = await play([FIRST, FIRST], { episodes: 2, onReplayLine: (line) => lines.push(line) });
  expect(`${lines.join("\n")}\n`).toBe(replayText);
});

test("gives a move before the next one is made", async () => {
  const lines: string[] = [];
  const second = "ready()\nfor q in questions():\n    if q['step'] == 1: time.sleep(3)\n    answer(q, first(q))";
  const running = play([FIRST, second], { moveSeconds: 10, onReplayLine: (line) => lines.push(line) });
  await expect.poll(() => lines.length, { interval: 10 }).toBe(2);
  expect(JSON.parse(lines[1]!).a).toEqual([0, null]);
  await running;
});

test("gives what seats write to standard error, as much as is kept", async () => {
  const writes = `print("hello", file=sys.stderr, flush=True)\nsys.stderr.write("x" * ${2 * MAX_LOG})\nsys.stderr.flush()\n${FIRST}`;
  const kept = [0, 0];
  let words = "";
  const { result } = await play([FIRST, writes], {
    onLog: (seat, chunk) => {
      kept[seat]! += chunk.length;
      if (words.length < 6) words += chunk.toString();
    },
  });
  expect(kept).toEqual([0, MAX_LOG]);
  expect(words.startsWith("hello\n")).toBe(true);
  expect(result.seats[1]!.logCut).toBe(MAX_LOG + 6);
});

test("ends at its own deadline as nobody's fault", async () => {
  const began = performance.now();
  const { result, replayText } = await play([HANGS, FIRST], { matchSeconds: 0.5, moveSeconds: 60 });
  expect(result.outcome).toEqual({ kind: "cancelled", detail: "the match's own 0.5 seconds were over" });
  expect(result.timedOut).toBe(true);
  expect(result.seats.map(({ score, rank, faults }) => [score, rank, faults])).toEqual([
    [null, null, 0],
    [null, null, 0],
  ]);
  expect(performance.now() - began).toBeLessThan(30_000);
  expect(verdict(replayText)).toMatchObject({ ok: true });
});

test("is not repeated past its own deadline", async () => {
  const breaks: Contender = {
    ...stage.agent("breaks"),
    open: async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      throw new Error("no box today");
    },
  };
  const contenders = [breaks, stage.agent("other")];
  const { result } = await playMatch({ env: board, contenders, seed: 1, attempts: 50, matchSeconds: 1 });
  expect(["infra_fault", "cancelled"]).toContain(result.outcome.kind);
  expect(result.attempts).toBeLessThan(6);
});

test("truncates an episode at its own bound, and the replay says so", async () => {
  const { result, replayText } = await play([STAY, STAY], { env: table, maxSteps: 12, episodes: 2 });
  expect(result).toMatchObject({ outcome: { kind: "completed" }, episodes: 2, steps: 24, timedOut: false });
  const replay = parseReplay(replayText, sha256);
  expect(replay.header.maxSteps).toBe(12);
  expect(replay.episodes.map((episode) => episode.end?.kind)).toEqual(["truncated", "truncated"]);
  expect(verdict(replayText)).toMatchObject({ ok: true, steps: 24 });
});

test("a replay that stops an episode early, or late, or hides the bound, is found out", async () => {
  const { replayText } = await play([STAY, STAY], { env: table, maxSteps: 12 });
  const { header, episodes, final } = parseReplay(replayText, sha256);
  const [episode] = episodes;
  const rewritten = (maxSteps: number | undefined): string => {
    const { maxSteps: _, ...rest } = header;
    const writer = new ReplayWriter({ ...rest, ...(maxSteps === undefined ? {} : { maxSteps }) }, sha256);
    for (const step of episode!.steps) writer.step(step);
    writer.episode(episode!.end!);
    return writer.finish(final).text;
  };
  expect(verdict(rewritten(12))).toMatchObject({ ok: true });
  for (const wrong of [undefined, 11, 13])
    expect(verdict(rewritten(wrong)), String(wrong)).toMatchObject({ ok: false });
});

test("the agent is told of the truncation", async () => {
  const tells = `
ready()
while True:
    q = read()
    if q["type"] == "episode_end": print(json.dumps(q), file=sys.stderr, flush=True)
    else: answer(q, 1)`;
  let told = "";
  await play([tells, STAY], {
    env: table,
    maxSteps: 3,
    onLog: (_, chunk) => {
      told += chunk;
    },
  });
  expect(JSON.parse(told)).toMatchObject({ terminated: false, truncated: true });
});

test("a seat forfeits by its so manieth fault, where moves are substituted", async () => {
  const errs = "ready()\nfor q in questions(): answer(q, 99)";
  const more = { onFault: "random", episodes: 3 } as const;
  const { result, replayText } = await play([FIRST, errs], { ...more, forfeitAfter: 3 });
  expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "illegal_action" });
  expect(result.seats.map(({ rank, faults }) => [rank, faults])).toEqual([
    [1, 0],
    [2, 3],
  ]);
  expect(verdict(replayText)).toMatchObject({ ok: true });
  const patient = await play([FIRST, errs], more);
  expect(patient.result.outcome.kind).toBe("completed");
  expect(patient.result.seats[1]!.faults).toBeGreaterThan(3);
});

test("an agent whose files are no agent does not start: its fault, with a replay", async () => {
  const unfit: Contender = {
    ...stage.agent("unfit"),
    open: () => Promise.reject(new BundleError("corrupt", "the archive is cut off")),
  };
  const contenders = [stage.agent("fit"), unfit];
  const { result, replayText } = await playMatch({ env: board, contenders, seed: 1 });
  expect(result.outcome).toEqual({ kind: "agent_fault", seats: [1], fault: "start", detail: "the archive is cut off" });
  expect(result.seats.map(({ score, rank, faultKinds, firstFault }) => [score, rank, faultKinds, firstFault])).toEqual([
    [1, 1, {}, null],
    [-1, 2, { start: 1 }, "the archive is cut off"],
  ]);
  expect(verdict(replayText)).toMatchObject({ ok: true });
});

test("a match longer than a replay can be ends like one past its time, where that is asked for", async () => {
  // A match of a million steps would take minutes: the bound is moved, and what follows it is real.
  const full = vi.spyOn(ReplayWriter.prototype, "full", "get");
  full.mockImplementation(() => full.mock.calls.length > 5);
  try {
    const { result, replayText } = await play([FIRST, FIRST], { onTooLong: "end" });
    expect(result).toMatchObject({ timedOut: true, steps: 5, seats: [{ score: null }, { score: null }] });
    expect(result.outcome).toEqual({ kind: "cancelled", detail: "the match is longer than a replay can be" });
    expect(verdict(replayText)).toMatchObject({ ok: true, steps: 5 });
  } finally {
    full.mockRestore();
  }
});

test("a replay is full while what must follow still finds its place", () => {
  const header = {
    ...{ engine: "test", env: { id: "x", version: 1, options: {} }, seed: 0, chance: [0, 0] as const, episodes: 1 },
    ...{ onFault: "forfeit" as const, seats: [{ agent: "a", digest: "" }], limits: { start: 1, move: 1, bank: 0 } },
  };
  const writer = new ReplayWriter({ ...header, sandbox: null }, () => "");
  const long = { actions: [0], thinkMs: [1], faults: ["x".repeat(60_000)] };
  let steps = 0;
  for (; !writer.full; steps++) writer.step(long);
  expect(steps).toBeGreaterThan(1000);
  writer.step(long);
  writer.forfeit({ faults: ["x".repeat(60_000)], thinkMs: [1] });
  writer.episode({ kind: "forfeit", returns: [0] });
  expect(() => writer.finish({ outcome: "cancelled", scores: [null], ranks: [null] })).not.toThrow();
  expect(() => {
    for (;;) writer.step(long);
  }).toThrow(ReplayError);
});

test("says of each seat when it was ready, and what its first fault was", async () => {
  const ready: number[][] = [];
  const twice = "ready()\nfor q in questions(): answer(q, 99 if q['step'] > 1 else 'x')";
  const { result } = await play([FIRST, twice], { onFault: "random", onReady: (...one) => ready.push(one) });
  expect(ready.map(([seat]) => seat).sort()).toEqual([0, 1]);
  for (const [, ms] of ready) expect(ms).toBeGreaterThan(0);
  expect(result.seats[0]!.firstFault).toBeNull();
  expect(result.seats[1]!.faults).toBeGreaterThan(1);
  expect(result.seats[1]!.firstFault).toMatch(/"action"|answered with/);
});

test("one attempt alone names the seat whose box failed", async () => {
  const breaks: Contender = { ...stage.agent("breaks"), open: () => Promise.reject(new Error("no box today")) };
  const request = { env: board, contenders: [stage.agent("other"), breaks], seed: 1 };
  expect((await playMatch({ ...request, attempts: 1 })).result.outcome).toMatchObject({ kind: "infra_fault", seat: 1 });
});

test("refuses bounds that make no sense", async () => {
  for (const more of [{ maxSteps: -1 }, { forfeitAfter: 0.5 }, { matchSeconds: 0 }, { matchSeconds: Number.NaN }])
    await expect(play([FIRST, SLOW], more), JSON.stringify(more)).rejects.toThrow(RangeError);
});

test("moves not made in time lose the match at their own bound; other faults do not count there", async () => {
  const late = await play([HANGS, FIRST], { onFault: "random", forfeitTimeouts: 2, moveSeconds: 0.2 });
  expect(late.result.outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "timeout" });
  expect(late.result.seats[0]!.faultKinds).toEqual({ timeout: 2 });
  expect(verdict(late.replayText)).toMatchObject({ ok: true });
  const wrong = "ready()\nfor q in questions(): answer(q, 99)";
  const { result } = await play([wrong, FIRST], { onFault: "random", forfeitTimeouts: 1 });
  expect(result.outcome).toEqual({ kind: "completed" });
  expect(result.seats[0]!.faults).toBeGreaterThan(2);
});
