import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeEnvironment } from "@lanista/games/environment";
import { kuhnPoker } from "@lanista/games/kuhn-poker";
import { rockPaperScissors } from "@lanista/games/rock-paper-scissors";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import type { Sandbox } from "@lanista/sandbox/types";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { playMatch } from "./match.ts";
import type { MatchRequest } from "./match-plan.ts";
import type { MatchResult } from "./result.ts";
import { FIRST, Stage } from "./testing/scripted.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const board = makeEnvironment(ticTacToe as never);

async function match(scripts: readonly string[], more: Partial<MatchRequest> = {}): Promise<MatchResult> {
  const contenders = scripts.map((script, seat) => stage.agent(`agent ${seat}`, script));
  const { result } = await playMatch({ env: board, contenders, seed: 7, moveSeconds: 1, ...more });
  return result;
}

describe("a match", () => {
  test("is played to its end, scored and ranked", async () => {
    const result = await match([FIRST, FIRST]);
    expect(result.outcome).toEqual({ kind: "completed" });
    expect(result.seats.map(({ score, rank, faults }) => [score, rank, faults])).toEqual([
      [1, 1, 0],
      [-1, 2, 0],
    ]);
    expect(result).toMatchObject({ env: "tic-tac-toe", seed: 7, episodes: 1, steps: 7, attempts: 1 });
    expect(result.sandbox?.tier).toBe("none");
  });

  test("adds up the returns of its episodes, and has the same hash for the same seed", async () => {
    const [one, two] = [await match([FIRST, FIRST], { episodes: 5 }), await match([FIRST, FIRST], { episodes: 5 })];
    expect(one.seats.map((seat) => seat.score)).toEqual([5, -5]);
    expect(one.replay.hash).toBe(two.replay.hash);
    expect((await match([FIRST, FIRST], { episodes: 5, seed: 8 })).replay.hash).not.toBe(one.replay.hash);
  });

  test("tells each agent its seat, its own seed, where its files are and what it earned", async () => {
    const script = `
start = ready()
print(json.dumps(start), file=sys.stderr)
while True:
    q = read()
    print(json.dumps(q), file=sys.stderr, flush=True)
    if q["type"] == "act": answer(q, first(q))
`;
    const result = await match([script, script], { logs: join(stage.dir, "told"), episodes: 2 });
    const lines = result.seats.map((seat) =>
      readFileSync(seat.log!, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    );
    expect(lines[0]![0]).toMatchObject({
      type: "start",
      protocol: 1,
      seat: 0,
      seats: 2,
      masked: true,
      entry: "agent.py",
    });
    expect(existsSync(lines[0]![0].agent_dir)).toBe(false);
    expect(lines[0]![0].seed).not.toBe(lines[1]![0].seed);
    const ends = lines.map((told) => told.filter((line) => line.type === "episode_end"));
    expect(ends[1]).toEqual(
      [0, 1].map((episode) => ({
        type: "episode_end",
        episode,
        reward: -1,
        return: -1,
        terminated: true,
        truncated: false,
      })),
    );
    const ids = lines.flat().filter((line) => line.type === "act");
    expect(new Set(ids.map((line) => line.id)).size).toBe(ids.length);
  });

  test("asks all seats of a simultaneous environment at once", async () => {
    const env = makeEnvironment(rockPaperScissors as never);
    const paper = "ready()\nfor q in questions():\n    time.sleep(0.15 if q['step'] == 0 else 0)\n    answer(q, 1)";
    const rock = paper.replace("answer(q, 1)", "answer(q, 0)");
    const contenders = [stage.agent("paper", paper), stage.agent("rock", rock)];
    const { result } = await playMatch({ env, contenders, seed: 1 });
    expect(result.outcome.kind).toBe("completed");
    expect(result.seats[0]!.score).toBeGreaterThan(0);
    expect(result.seats.map((seat) => seat.rank)).toEqual([1, 2]);
  });

  test("deals the same cards for the same seed, and others for another", async () => {
    const env = makeEnvironment(kuhnPoker as never);
    const bet = "ready()\nfor q in questions(): answer(q, 1)";
    const play = async (seed: number): Promise<string> => {
      const contenders = [stage.agent("a", bet), stage.agent("b", bet)];
      return JSON.stringify(
        (await playMatch({ env, contenders, seed, episodes: 12 })).result.seats.map((s) => s.score),
      );
    };
    expect(await play(1)).toBe(await play(1));
    expect(new Set(await Promise.all([1, 2, 3, 4].map(play))).size).toBeGreaterThan(1);
  });

  test("can be cancelled, and leaves nothing running", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 300);
    const result = await match([FIRST, "ready()\ntime.sleep(60)"], { signal: abort.signal, moveSeconds: 60 });
    expect(result.outcome).toEqual({ kind: "cancelled" });
    expect(result.seats.map((seat) => [seat.score, seat.rank])).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  test("refuses a request that makes no sense", async () => {
    await expect(match([FIRST])).rejects.toThrow("tic-tac-toe has 2 seats, but 1 agents were given");
    await expect(match([FIRST, FIRST], { seed: 2 ** 53 })).rejects.toThrow("a seed is an integer");
  });
});

/** What seat 1 does on its first question, and what that is called. */
const WRONGS: readonly (readonly [name: string, script: string, fault: string, detail: RegExp])[] = [
  ["garbage", 'ready(); read(); raw("garbage\\n"); time.sleep(9)', "protocol", /not JSON/],
  ["half a line", `ready(); q = read(); raw('{"id":'); time.sleep(9)`, "timeout", /half a line/],
  [
    "deep nesting",
    'ready(); read(); raw("[" * 60000 + "]" * 5000 + "\\n"); time.sleep(9)',
    "protocol",
    /nested|more than/,
  ],
  ["a line of 10 MB", 'ready(); read(); raw("1" * 10000000); time.sleep(9)', "protocol", /more than 65536 bytes/],
  ["NaN", `ready(); q = read(); raw('{"id":%d,"action":NaN}\\n' % q["id"]); time.sleep(9)`, "protocol", /not JSON/],
  ["infinity", `ready(); q = read(); raw('{"id":%d,"action":1e999}\\n' % q["id"]); time.sleep(9)`, "protocol", /2\^53/],
  ["a huge number", `ready(); q = read(); answer(q, 2**60); time.sleep(9)`, "protocol", /2\^53/],
  ["a text as action", 'ready(); q = read(); answer(q, "3"); time.sleep(9)', "protocol", /not a number/],
  ["true as action", "ready(); q = read(); answer(q, True); time.sleep(9)", "protocol", /not a number/],
  ["a list as action", "ready(); q = read(); answer(q, [3]); time.sleep(9)", "protocol", /not a number/],
  [
    "an extra key",
    'ready(); q = read(); say({"id": q["id"], "action": 3, "x": 1}); time.sleep(9)',
    "protocol",
    /none of/,
  ],
  [
    "__proto__",
    `ready(); q = read(); raw('{"id":%d,"action":3,"__proto__":{}}\\n' % q["id"]); time.sleep(9)`,
    "protocol",
    /none of/,
  ],
  [
    "invalid UTF-8",
    `ready(); q = read(); sys.stdout.buffer.write(b'{"id":\\xff}\\n'); sys.stdout.flush(); time.sleep(9)`,
    "protocol",
    /UTF-8/,
  ],
  [
    "another id",
    'ready(); q = read(); say({"id": (q["id"] + 1) % 2**32, "action": 3}); time.sleep(9)',
    "protocol",
    /id/,
  ],
  [
    "two answers",
    "ready(); q = read(); m = json.dumps({'id': q['id'], 'action': 3}) + '\\n'; raw(m + m); time.sleep(9)",
    "protocol",
    /nothing was asked/,
  ],
  [
    "an answer before the question",
    'ready(); time.sleep(0.1); raw(json.dumps({"id": 1, "action": 3}) + "\\n"); time.sleep(9)',
    "protocol",
    /nothing was asked|id/,
  ],
  ["half an action", "ready(); q = read(); answer(q, 3.5); time.sleep(9)", "illegal_action", /3.5/],
  ["an action out of range", "ready(); q = read(); answer(q, 9); time.sleep(9)", "illegal_action", /9/],
  ["a negative action", "ready(); q = read(); answer(q, -1); time.sleep(9)", "illegal_action", /-1/],
  ["a taken cell", "ready(); q = read(); answer(q, 0); time.sleep(9)", "illegal_action", /0/],
  ["silence", "ready(); time.sleep(9)", "timeout", /1000 ms/],
  ["a busy loop", "ready(); read(); burn(9)", "timeout", /1000 ms/],
  [
    "one byte a second",
    `ready(); q = read()\nfor c in '{"id":': raw(c); time.sleep(0.4)\ntime.sleep(9)`,
    "timeout",
    /half a line/,
  ],
  ["an exception", "ready(); read(); 1 / 0", "crash", /status 1/],
  ["an end", "ready(); read(); sys.exit(0)", "crash", /status 0/],
  ["a signal", "ready(); read(); os.kill(os.getpid(), 11)", "crash", /SIGSEGV/],
  ["a closed output", "ready(); read(); os.close(1); time.sleep(9)", "crash", /closed its standard output/],
  [
    "an error report",
    'ready(); q = read(); say({"id": q["id"], "error": "no \\x1b[31mmove"}); time.sleep(9)',
    "crash",
    /no \ufffd\[31mmove/,
  ],
  ["no ready", "read(); time.sleep(9)", "start", /not ready within 3000 ms/],
  ["an end at start", "read(); sys.exit(3)", "start", /status 3/],
  ["a load error", 'read(); say({"id": None, "error": "SyntaxError"}); time.sleep(9)', "start", /SyntaxError/],
  ["a wrong protocol", 'read(); say({"type": "ready", "protocol": 2}); time.sleep(9)', "protocol", /protocol/],
  [
    "ready before start",
    'raw(\'{"type":"ready","protocol":1}\\n\' * 2); time.sleep(9)',
    "protocol",
    /nothing was asked/,
  ],
];

describe("an agent in seat 1 loses, and its opponent's result stands:", () => {
  test.each(WRONGS)("%s", async (_, script, fault, detail) => {
    const result = await match([FIRST, script], { startSeconds: 3 });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault });
    expect((result.outcome as { detail: string }).detail).toMatch(detail);
    expect(result.seats.map(({ score, rank, faults }) => [score, rank, faults])).toEqual([
      [1, 1, 0],
      [-1, 2, 1],
    ]);
    expect(result.seats[1]!.faultKinds).toEqual({ [fault]: 1 });
  });
});

describe("faults", () => {
  test("of several seats at once make all of them guilty", async () => {
    const env = makeEnvironment(rockPaperScissors as never);
    const contenders = [stage.agent("hangs", "ready(); time.sleep(9)"), stage.agent("ends", "ready(); read()")];
    const { result } = await playMatch({ env, contenders, moveSeconds: 0.5 });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0, 1], fault: "timeout" });
    expect(result.seats.map((seat) => [seat.score, seat.rank, Object.keys(seat.faultKinds)])).toEqual([
      [0, 1, ["timeout"]],
      [0, 1, ["crash"]],
    ]);
  });

  const DIES = "ready(); q = read(); answer(q, first(q)); sys.exit(7)";

  test.each(["forfeit", "random"] as const)(
    "of one that died unasked count when the other ends the match: %s",
    async (onFault) => {
      const result = await match([DIES, "ready(); read(); time.sleep(2); sys.exit(1)"], { onFault, moveSeconds: 9 });
      expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0, 1], fault: "crash" });
      expect((result.outcome as { detail: string }).detail).toMatch(/status 7/);
      expect(result.seats.map((seat) => [seat.score, seat.rank, seat.faultKinds])).toEqual([
        [0, 1, { crash: 1 }],
        [0, 1, { crash: 1 }],
      ]);
    },
  );

  test("of one that was ready and died count when the other never gets ready", async () => {
    const result = await match(["ready(); sys.exit(7)", "read(); time.sleep(9)"], { startSeconds: 3 });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0, 1], fault: "crash" });
    expect(result.seats.map((seat) => seat.faultKinds)).toEqual([{ crash: 1 }, { start: 1 }]);
  });

  test("of one that died unasked stand when the other's box then fails by our doing", async () => {
    const waits = stage.agent("waits", "ready(); time.sleep(9)");
    const open = async (): Promise<Sandbox> => {
      const sandbox = await waits.open();
      setTimeout(() => sandbox.kill("a mistake of ours"), 3000);
      return sandbox;
    };
    const { result } = await playMatch({
      env: board,
      contenders: [stage.agent("dies", DIES), { ...waits, open }],
      moveSeconds: 9,
    });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "crash" });
    expect(result).toMatchObject({ attempts: 1, seats: [{ rank: 2 }, { rank: 1, faults: 0 }] });
  });

  test("are none where a program ends after its seat's last move", async () => {
    // Seat 0's fourth move decides; seat 1 has moved three times.
    const slow =
      "ready()\nfor q in questions():\n    time.sleep(0.4 if q['step'] == 6 else 0)\n    answer(q, first(q))";
    const leaves = "ready()\nfor q in questions():\n    answer(q, first(q))\n    if q['step'] == 5: sys.exit(7)";
    const result = await match([slow, leaves]);
    expect(result.outcome).toEqual({ kind: "completed" });
    expect(result.seats.map((seat) => [seat.score, seat.faults])).toEqual([
      [1, 0],
      [-1, 0],
    ]);
  });

  test("put the guilty last, however far he led", async () => {
    const leaver = `
ready()
for q in questions():
    if q["episode"] == 2: sys.exit(0)
    answer(q, first(q))`;
    const result = await match([leaver, FIRST], { episodes: 4 });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "crash" });
    expect(result.seats.map((seat) => [seat.score, seat.rank])).toEqual([
      [1, 2],
      [-1, 1],
    ]);
    expect(result.episodes).toBe(3);
  });

  test("leave a single seat without a score", async () => {
    const { frozenLake } = await import("@lanista/games/frozen-lake");
    const env = makeEnvironment(frozenLake as never);
    const { result } = await playMatch({ env, contenders: [stage.agent("ends", "ready(); read()")] });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "crash" });
    expect(result.seats[0]).toMatchObject({ score: null, rank: null, faults: 1 });
  });

  test("are replaced by random moves where that is asked for, counted, and the match goes on", async () => {
    const wild = `
ready()
for n, q in enumerate(questions()):
    if n % 4 == 0: answer(q, 99)
    elif n % 4 == 1: raw("garbage\\n"); answer(q, first(q))
    elif n % 4 == 2: time.sleep(0.3); answer(q, first(q))
    else: answer(q, first(q))`;
    const more = { onFault: "random", episodes: 4, moveSeconds: 0.2 } as const;
    const result = await match([FIRST, wild], more);
    expect(result.outcome).toEqual({ kind: "completed" });
    expect(result.seats[0]!.faults).toBe(0);
    const kinds = result.seats[1]!.faultKinds;
    expect(Object.keys(kinds).sort()).toEqual(["illegal_action", "protocol", "timeout"]);
    expect(result.seats[1]!.faults).toBe(kinds.illegal_action! + kinds.protocol! + kinds.timeout!);
    expect((await match([FIRST, wild], more)).replay.hash).toBe(result.replay.hash);
  });

  test("of a dead program are always forfeited", async () => {
    const result = await match([FIRST, "ready(); read()"], { onFault: "random" });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "crash" });
  });

  test("of an agent that floods are forfeited, whatever else is made good", async () => {
    const flood = 'ready()\nfor q in questions():\n    raw("x\\n" * 5000)\n    answer(q, first(q))';
    const result = await match([FIRST, flood], { onFault: "random" });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "protocol" });
    expect((result.outcome as { detail: string }).detail).toMatch(/more than 1000 lines/);
  });

  test("of an agent that stops reading are forfeited once too much is unread", async () => {
    const { hex } = await import("@lanista/games/hex");
    const env = makeEnvironment(hex as never, { size: 19 });
    const contenders = [stage.agent("deaf", "ready(); time.sleep(60)"), stage.agent("fine")];
    const { result } = await playMatch({ env, contenders, moveSeconds: 0.03, episodes: 12, onFault: "random" });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "timeout" });
    expect((result.outcome as { detail: string }).detail).toMatch(/has not read its input/);
    expect(result.seats[0]!.faults).toBeGreaterThan(50);
  });

  test("of ours are nobody's: the match is played again, and set aside if they follow a seat", async () => {
    const broken = { ...stage.agent("broken"), open: async () => Promise.reject(new Error("no more boxes")) };
    let opened = 0;
    const flaky = {
      ...stage.agent("flaky"),
      open: async () => (opened++ === 0 ? Promise.reject(new Error("once")) : stage.agent("flaky").open()),
    };
    const again = await playMatch({ env: board, contenders: [stage.agent("fine"), flaky] });
    expect(again.result).toMatchObject({ outcome: { kind: "completed" }, attempts: 2 });
    const { result } = await playMatch({ env: board, contenders: [stage.agent("fine"), broken], attempts: 2 });
    expect(result.outcome).toMatchObject({ kind: "infra_fault", seat: 1 });
    expect((result.outcome as { detail: string }).detail).toMatch(
      /set aside for a person.*seat 1 \(broken\).*no more boxes/,
    );
    expect(result.seats.map((seat) => [seat.score, seat.rank, seat.faults])).toEqual([
      [null, null, 0],
      [null, null, 0],
    ]);
  });
});

describe("a failure of ours in every box accuses nobody:", () => {
  const named = (result: MatchResult): unknown => (result.outcome as { seat?: number }).seat;

  test("none can be started", async () => {
    const open = async (): Promise<Sandbox> => Promise.reject(new Error("no room"));
    const contenders = ["a", "b"].map((name) => ({ ...stage.agent(name), open }));
    const { result } = await playMatch({ env: board, contenders, attempts: 2 });
    expect(result).toMatchObject({ outcome: { kind: "infra_fault" }, attempts: 2 });
    expect(named(result)).toBeUndefined();
    expect((result.outcome as { detail: string }).detail).toMatch(
      /^the box of seat 0 .*no room; the box of seat 1 .*no room$/,
    );
  });

  test("all break, one a moment after the other", async () => {
    const breaks = (name: string, ms: number) => {
      const agent = stage.agent(name, "ready(); time.sleep(9)");
      const open = async (): Promise<Sandbox> => {
        const sandbox = await agent.open();
        setTimeout(() => sandbox.kill("a mistake of ours"), ms);
        return sandbox;
      };
      return { ...agent, open };
    };
    const both = { env: board, contenders: [breaks("a", 400), breaks("b", 450)], attempts: 2 };
    const { result } = await playMatch(both);
    expect(result).toMatchObject({ outcome: { kind: "infra_fault" }, attempts: 2 });
    expect(named(result)).toBeUndefined();
    const one = { ...both, contenders: [breaks("a", 400), stage.agent("fine")] };
    expect(named((await playMatch(one)).result)).toBe(0);
  });
});

test("logs are kept up to a bound, with a mark of what was cut", async () => {
  const loud = `sys.stderr.write("x" * 1500000)\nsys.stderr.flush()\n${FIRST}`;
  const result = await match([FIRST, loud], { replay: join(stage.dir, "loud.jsonl.gz") });
  expect(result.outcome.kind).toBe("completed");
  expect(result.seats[1]!.log).toBe(join(stage.dir, "loud.seat-1.log"));
  const text = readFileSync(result.seats[1]!.log!, "utf8");
  expect(text.slice(2 ** 20)).toBe(`\n[lanista: ${1500000 - 2 ** 20} more bytes were cut off]\n`);
  expect(existsSync(result.replay.file!)).toBe(true);
});
