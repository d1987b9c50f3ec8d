import { makeEnvironment } from "@lanista/games/environment";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import { describe, expect, test } from "vitest";
import { pickLegal } from "./episodes/actions.ts";
import { sourceOf } from "./episodes/built-in.ts";
import { VERDICTS } from "./grading/grade-types.ts";
import { parseAgentLine } from "./json-answer.ts";
import { LineReader, MAX_LINE } from "./line-reader.ts";
import { forfeitReturns, ranksOf } from "./scoring.ts";
import { SeatClock } from "./seat-clock.ts";
import { blameForEnd, cleanDetail } from "./seat-fault.ts";
import { chanceKey, isSeed, matchSeed, randomSeed, SubstituteActions, seatSeed } from "./seeds.ts";

describe("seeds", () => {
  test("are derived by HMAC-SHA-256, so anybody can derive them", async () => {
    const { createHmac } = await import("node:crypto");
    const digest = createHmac("sha256", Buffer.from("0000000000003039", "hex")).update("lanista/1/seat/1").digest();
    expect(seatSeed(12345, 1)).toBe(Number(digest.readBigUInt64BE() >> 11n));
    expect(chanceKey(12345)).toEqual(
      [1, 2].map((_, i) =>
        createHmac("sha256", Buffer.from("0000000000003039", "hex"))
          .update("lanista/1/chance")
          .digest()
          .readUInt32BE(4 * i),
      ),
    );
  });

  test("are distinct for seats, matches and uses", () => {
    const all = [0, 1, 2].flatMap((seed) => [
      seatSeed(seed, 0),
      seatSeed(seed, 1),
      matchSeed(seed, "0"),
      matchSeed(seed, "1"),
    ]);
    expect(new Set(all).size).toBe(all.length);
    expect(all.every(isSeed)).toBe(true);
    expect(isSeed(randomSeed())).toBe(true);
    expect(() => chanceKey(-1)).toThrow(RangeError);
  });

  test("give substitute actions that are legal, spread, and do not depend on each other", () => {
    const stream = new SubstituteActions(5);
    const mask = Uint8Array.of(0, 1, 1, 0, 1);
    const picks = Array.from({ length: 300 }, (_, step) => pickLegal(mask, stream.draw(0, step, 0)));
    for (const action of [1, 2, 4]) expect(picks.filter((pick) => pick === action).length).toBeGreaterThan(60);
    expect(pickLegal(mask, new SubstituteActions(5).draw(0, 123, 0))).toBe(picks[123]);
  });
});

describe("a line reader", () => {
  const collect = (chunks: readonly string[]): [string[], boolean] => {
    const reader = new LineReader();
    const lines: string[] = [];
    let ok = true;
    for (const chunk of chunks) ok &&= reader.push(Buffer.from(chunk), (line) => lines.push(line.toString()));
    return [lines, ok];
  };
  test("puts lines together, however they come", () => {
    expect(collect(["a\nbc\nd", "e\n", "\n"])).toEqual([["a", "bc", "de", ""], true]);
    expect(collect([..."one byte\nat a time\n"])).toEqual([["one byte", "at a time"], true]);
  });
  test("refuses a line over its bound, in one piece or in many", () => {
    const most = "x".repeat(MAX_LINE);
    expect(collect([`${most}\n`])[1]).toBe(true);
    expect(collect([`${most}x\n`])[1]).toBe(false);
    expect(collect([...Array.from({ length: 70 }, () => "y".repeat(1000))])[1]).toBe(false);
  });
});

describe("an agent's line", () => {
  test.each([
    ['{"id":7,"action":3}', { kind: "action", id: 7, action: 3 }],
    [' { "action" : 3.0 , "id" : 7 } ', { kind: "action", id: 7, action: 3 }],
    ['{"id":7,"action":-0}', { kind: "action", id: 7, action: 0 }],
    ['{"id":null,"error":"x"}', { kind: "error", id: null, text: "x" }],
    ['{"type":"ready","protocol":1}', { kind: "ready" }],
  ])("%s is read", (text, expected) => {
    expect(parseAgentLine(Buffer.from(text), { type: "Discrete", n: 9 })).toEqual(expected);
  });
  test.each([
    "",
    "3",
    "null",
    "[1]",
    "{}",
    '{"id":7}',
    '{"id":7.5,"action":3}',
    '{"id":-1,"action":3}',
    '{"id":4294967296,"action":3}',
    '{"id":"7","action":3}',
    '{"id":7,"action":null}',
    '{"id":7,"action":1e999}',
    '{"id":7,"action":9007199254740994}',
    '{"id":7,"action":3,"constructor":1}',
    '{"__proto__":{"id":7},"action":3}',
    '{"id":7,"error":3}',
    '{"type":"ready","protocol":1,"x":0}',
    '{"id":7,"action":3}{"id":7,"action":3}',
    "[".repeat(60_000),
    '{"id":7,"action":[[[[[3]]]]]}',
    "\ufeff{}",
  ])("%.40s is refused", (text) => {
    expect(parseAgentLine(Buffer.from(text), { type: "Discrete", n: 9 }).kind).toBe("refused");
  });
});

test("a seat's clock takes from the bank only what goes over the move's time", () => {
  const clock = new SeatClock(1000, 500);
  clock.spend(900);
  expect(clock.bankMs).toBe(500);
  clock.spend(1200);
  expect(clock.bankMs).toBe(300);
  clock.charge(1100);
  expect(clock.allowanceMs).toBe(200);
  clock.spend(100);
  expect([clock.bankMs, clock.allowanceMs]).toEqual([100, 1100]);
  clock.spend(Number.POSITIVE_INFINITY);
  expect(clock.allowanceMs).toBe(1000);
});

describe("scoring", () => {
  const source = sourceOf(makeEnvironment(ticTacToe as never));
  test("gives equals the better rank, and the guilty the worst", () => {
    expect(ranksOf([3, 5, 3, 1], [])).toEqual([2, 1, 2, 4]);
    expect(ranksOf([3, 5, 3, 1], [1])).toEqual([1, 4, 1, 3]);
    expect(ranksOf([0, 0], [0, 1])).toEqual([1, 1]);
  });
  test("settles a forfeited episode as an illegal action is settled", () => {
    expect(forfeitReturns(source, [0, 0], [1])).toEqual([1, -1]);
    expect(forfeitReturns(source, [0, 0], [0, 1])).toEqual([0, 0]);
    expect(forfeitReturns({ ...source, zeroSum: false }, [0.5, 0.25], [1])).toEqual([0.5, -1]);
  });
});

test("every end of a box is the agent's or ours", () => {
  const kinds = ["wallTime", "cpuTime", "memory", "pids", "output", "scratch", "vram"] as const;
  expect(kinds.map((kind) => blameForEnd({ kind }, true))).toMatchObject(
    ["timeout", "cpu", "memory", "pids", "output", "scratch", "vram"].map((fault) => ({ kind: "fault", fault })),
  );
  expect((["timeout", "cpu", "memory", "vram", "pids"] as const).map((fault) => VERDICTS[fault])).toEqual([
    "TLE",
    "TLE",
    "MLE",
    "VLE",
    "RE",
  ]);
  expect(blameForEnd({ kind: "exit", code: 0 }, true)).toMatchObject({ fault: "crash" });
  expect(blameForEnd({ kind: "exit", code: 0 }, false)).toMatchObject({ fault: "start" });
  expect(blameForEnd({ kind: "runtimeFault", detail: "x" }, true).kind).toBe("infra");
  expect(blameForEnd({ kind: "killed", reason: "x" }, true).kind).toBe("infra");
});

test("a participant's text cannot steer a terminal, nor be endless", () => {
  expect(cleanDetail("\u001b]0;title\u0007\r\n\u202eok")).toBe("\ufffd]0;title\ufffd\ufffd\n\ufffdok");
  expect(cleanDetail("x".repeat(5000)).length).toBeLessThan(2100);
  expect(cleanDetail("a\ud83d")).toBe("a\ufffd");
  expect(cleanDetail(`${"x".repeat(1999)}\u{1f600}`).isWellFormed()).toBe(true);
});
