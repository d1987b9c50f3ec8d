import { describe, expect, test } from "vitest";
import { parseReplay } from "./replay.ts";
import { sameAction } from "./replay-action.ts";
import { MAX_REPLAY, MAX_REPLAY_STEPS } from "./replay-limits.ts";
import { ReplayError, type ReplayHeader } from "./replay-types.ts";
import { ReplayWriter } from "./replay-writer.ts";

/** Not a hash that anybody could rely on: this package has none, and only equality is asked for here. */
function fakeHash(text: string): string {
  let sum = text.length;
  for (let at = Math.max(0, text.length - 200); at < text.length; at++) sum = (sum * 31 + text.charCodeAt(at)) >>> 0;
  return sum.toString(16).padStart(64, "0");
}

const HEADER: ReplayHeader = {
  engine: "0",
  env: { id: "x", version: 1, options: {} },
  seed: 1,
  chance: [1, 2],
  episodes: 1,
  onFault: "forfeit",
  seats: [{ agent: "a", digest: "d" }],
  limits: { start: 1, move: 1, bank: 0 },
  sandbox: null,
};
const FINAL = { outcome: "completed", scores: [0], ranks: [1] } as const;
const STEP = { actions: [0], thinkMs: [0] };

function written(header: ReplayHeader = HEADER): string {
  const writer = new ReplayWriter(header, fakeHash);
  writer.step(STEP);
  writer.episode({ kind: "terminated", returns: [0] });
  return writer.finish(FINAL).text;
}

const read = (text: string) => parseReplay(text, fakeHash);
const headerLine = (): string => written().split("\n", 1)[0]!;

test("what is written is read", () => {
  expect(read(written())).toMatchObject({ header: HEADER, episodes: [{ steps: [STEP] }], final: FINAL });
});

test("a seat's root is there where it had one, and nowhere else", () => {
  const seats = [{ agent: "a", digest: "d", root: `sha256:${"0".repeat(64)}` }];
  expect(read(written({ ...HEADER, seats })).header.seats).toEqual(seats);
  expect(headerLine()).not.toContain("root");
});

test("a bundled environment's digest, and actions that are lists, are read as they were written", () => {
  const header: ReplayHeader = { ...HEADER, env: { ...HEADER.env, bundle: "b".repeat(64) } };
  const writer = new ReplayWriter(header, fakeHash);
  const step = { actions: [[0.5, -1]], thinkMs: [0] };
  writer.step(step);
  const parts = { actions: [['a"\u2028', [1, [0.5]], 2]], thinkMs: [0] };
  writer.step(parts);
  writer.episode({ kind: "terminated", returns: [0] });
  const { text } = writer.finish(FINAL);
  expect(read(text)).toMatchObject({ header, episodes: [{ steps: [step, parts] }] });
  expect(() => read(text.replace('"bundle":"bbb', '"bundle":"abb'))).toThrow(/do not give this hash/);
  expect(() => read(text.replace("[0.5,-1]", "[]"))).toThrow(/cannot hold/);
  expect(() => read(text.replace("[0.5,-1]", "[[]]"))).toThrow(/cannot hold/);
  for (const one of ["true", "{}", '"a",null', `"${"a".repeat(8190)}"`, String(Array.from({ length: 256 }, () => 0))])
    expect(() => read(text.replace("[1,[0.5]]", one))).toThrow(/cannot hold/);
  expect(() => read(text.replace("[1,[0.5]]", "[[[[[[[[1]]]]]]]]"))).toThrow(/cannot hold/);
  expect(headerLine()).not.toContain("bundle");
});

test("actions are the same where all of their parts are", () => {
  expect(sameAction([1, ["a", 2]], [1, ["a", 2]])).toBe(true);
  for (const other of [[1, ["a", 3]], [1, ["a"]], [1, "a"], "1", 1, [1]])
    expect(sameAction([1, ["a", 2]], other)).toBe(false);
});

describe("the reader stops at the first line that is wrong", () => {
  test("in a file of newlines, without counting them", () => {
    expect(() => read(`${headerLine()}${"\n".repeat(MAX_REPLAY - 10_000)}`)).toThrow("line 2: not JSON");
  });

  test("at the first step over the limit", () => {
    const steps = '{"a":[0],"t":[0]}\n'.repeat(MAX_REPLAY_STEPS + 2);
    expect(() => parseReplay(`${headerLine()}\n${steps}`, () => "")).toThrow(`line ${MAX_REPLAY_STEPS + 2}: more than`);
  });

  test("at the first episode over those announced", () => {
    const [head, step, episode] = written().split("\n");
    expect(() => read([head, step, episode, step, episode, ""].join("\n"))).toThrow("line 5: more than 1 episodes");
  });

  test("behind the final line", () => {
    expect(() => read(`${written()}${"\n".repeat(1000)}`)).toThrow("line 5: something after the final line");
  });

  test("and before any line where the whole is too long", () => {
    expect(() => read("\n".repeat(MAX_REPLAY + 1))).toThrow("longer than");
  });
});

describe("the writer refuses what could not be read", () => {
  test("more episodes than a replay may have", () => {
    expect(() => new ReplayWriter({ ...HEADER, episodes: MAX_REPLAY_STEPS + 1 }, fakeHash)).toThrow(ReplayError);
    expect(() => new ReplayWriter({ ...HEADER, episodes: MAX_REPLAY_STEPS }, fakeHash)).not.toThrow();
  });

  test("a step too many", () => {
    const writer = new ReplayWriter(HEADER, () => "");
    for (let step = 0; step < MAX_REPLAY_STEPS; step++) writer.step(STEP);
    expect(() => writer.step(STEP)).toThrow("play it as several");
  });

  test("a text too long, though no line of it is", () => {
    const seats = Array.from({ length: 31 }, () => 0);
    const writer = new ReplayWriter(HEADER, () => "");
    const long = { actions: seats.map(() => 0), thinkMs: seats, rewards: seats.map(() => -1.2345678901234567e-100) };
    const most = Math.ceil(MAX_REPLAY / 700);
    expect(() => {
      for (let step = 0; step < most; step++) writer.step(long);
    }).toThrow("characters: play it as several");
  });

  test("a line too long", () => {
    const header = { ...HEADER, env: { ...HEADER.env, options: { long: "x".repeat(70_000) } } };
    expect(() => new ReplayWriter(header, fakeHash)).toThrow("in a line");
  });
});

describe("one hash is one text: refused is", () => {
  /** The written replay with one line changed, hash and digest right. */
  function changed(at: number, change: (line: string) => string): string {
    const lines = written().split("\n").slice(0, -1);
    lines[at] = change(lines[at]!);
    const before = lines.join("\n").replace(/,"digest":"[0-9a-f]*"}$/, "");
    return `${before},"digest":"${fakeHash(before)}"}\n`;
  }

  test("nothing, where nothing was changed", () => {
    expect(changed(1, (line) => line)).toBe(written());
  });

  test.each<[string, number, (line: string) => string]>([
    ["a key given twice", 1, (line) => line.replace("{", '{"a":[5],')],
    ["a space", 1, (line) => line.replace(",", ", ")],
    ["an escape that need not be", 0, (line) => line.replace('"engine"', '"\\u0065ngine"')],
    ["a number written otherwise", 2, (line) => line.replace("[0]", "[0.0]")],
    ["a key given twice in the final line", 3, (line) => line.replace('"ranks"', '"scores":[0],"ranks"')],
  ])("%s", (_, at, change) => {
    const text = changed(at, change);
    expect(text).not.toBe(written());
    expect(() => read(text)).toThrow(`line ${at + 1}: not written as`);
  });
});

test("a fault that agents cannot commit is refused", () => {
  const writer = new ReplayWriter(HEADER, fakeHash);
  writer.step({ ...STEP, faults: ["laziness"] });
  writer.episode({ kind: "terminated", returns: [0] });
  expect(() => read(writer.finish(FINAL).text)).toThrow('line 2: "f" holds');
});
