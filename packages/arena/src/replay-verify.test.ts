import { join } from "node:path";
import type { EnvironmentDefinition } from "@lanista/games/environment";
import { makeEnvironment } from "@lanista/games/environment";
import { kuhnPoker } from "@lanista/games/kuhn-poker";
import { parseReplay } from "@lanista/games/replay";
import { ReplayError } from "@lanista/games/replay-types";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { playMatch } from "./match.ts";
import { readReplayFile, readReplayText } from "./replay-file.ts";
import { verifyReplay } from "./replay-verify.ts";
import { sha256 } from "./sha256.ts";
import { Stage } from "./testing/scripted.ts";

const known = new Map([ticTacToe, kuhnPoker].map((one) => [one.id as string, one as unknown as EnvironmentDefinition]));
let stage: Stage;
let text: string;
const wild = "ready()\nfor n, q in enumerate(questions()): answer(q, 99 if n == 1 else first(q))";

beforeAll(async () => {
  stage = await Stage.open();
  const { replayText } = await playMatch({
    env: makeEnvironment(known.get("tic-tac-toe")!),
    contenders: [stage.agent("first"), stage.agent("wild", wild)],
    seed: 11,
    episodes: 2,
    onFault: "random",
  });
  text = replayText;
});
afterAll(() => stage.close());

const read = (from: string) => parseReplay(from, sha256);

/** The lines, changed, with chain and digest made right again: what somebody would do who wants to lie well. */
function forge(change: (lines: Record<string, unknown>[]) => void): string {
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  change(lines);
  // The reader itself tells which hash it expects, one episode after the other, so the forger needs no code of his own.
  const hash = (link: string, record: unknown): string => sha256(`${link}\n${JSON.stringify(record)}`);
  const head = lines[0];
  let link = sha256(
    JSON.stringify([
      "lanista-replay",
      1,
      head.env.id,
      head.env.version,
      Object.entries(head.env.options).sort(),
      head.seed,
      head.chance,
      head.episodes,
      head.on_fault,
      head.seats.length,
    ]),
  );
  for (const line of lines.slice(1, -1)) {
    if (line.a) link = hash(link, ["step", line.a, line.f ?? [], line.r ?? []]);
    else if (line.forfeit) link = hash(link, ["forfeit", line.forfeit]);
    else {
      link = hash(link, ["episode", line.end, line.returns]);
      line.hash = link;
    }
  }
  const last = lines.at(-1);
  last.hash = hash(link, ["final", last.outcome, last.scores, last.ranks]);
  delete last.digest;
  const body = lines.map((line) => JSON.stringify(line)).join("\n");
  const before = body.slice(0, -1);
  return `${before},"digest":"${sha256(before)}"}\n`;
}

test("a replay of a match verifies", () => {
  const replay = read(text);
  expect(verifyReplay(replay, known)).toMatchObject({ ok: true, episodes: 2, hash: replay.hash });
  expect(replay.episodes[0]!.steps.some((step) => step.faults?.[1] === "illegal_action")).toBe(true);
  expect(forge(() => {})).toBe(text);
});

test("so does one with hidden cards, one of a forfeit, and one of a start that failed", async () => {
  const bet = "ready()\nfor q in questions(): answer(q, 1)";
  const poker = makeEnvironment(known.get("kuhn-poker")!);
  const board = makeEnvironment(known.get("tic-tac-toe")!);
  const matches = [
    { env: poker, contenders: [stage.agent("a", bet), stage.agent("b", bet)], episodes: 9 },
    { env: board, contenders: [stage.agent("a"), stage.agent("b", wild)], episodes: 3 },
    { env: board, contenders: [stage.agent("a"), stage.agent("b", "read()")] },
  ];
  for (const [number, request] of matches.entries()) {
    const file = join(stage.dir, `match-${number}.jsonl${number === 1 ? ".gz" : ""}`);
    const { result } = await playMatch({ ...request, replay: file });
    const verdict = verifyReplay(await readReplayFile(file), known);
    expect(verdict).toMatchObject({ ok: true, hash: result.replay.hash });
    expect(result.outcome.kind).toBe(number === 0 ? "completed" : "agent_fault");
  }
});

describe("the file is refused, with the line and the reason, when", () => {
  test("any line is taken away", () => {
    const lines = text.trimEnd().split("\n");
    for (let gone = 0; gone < lines.length; gone++)
      expect(() => read(`${lines.filter((_, at) => at !== gone).join("\n")}\n`), `line ${gone + 1}`).toThrow(
        ReplayError,
      );
  });

  test("any line is doubled, or two change places", () => {
    const lines = text.trimEnd().split("\n");
    for (let at = 0; at < lines.length; at++) {
      expect(() => read(`${lines.toSpliced(at, 0, lines[at]!).join("\n")}\n`), `line ${at + 1}`).toThrow(ReplayError);
      if (at === 0) continue;
      const swapped = lines.toSpliced(at - 1, 2, lines[at]!, lines[at - 1]!);
      expect(() => read(`${swapped.join("\n")}\n`), `line ${at + 1}`).toThrow(ReplayError);
    }
  });

  test("any character is changed", () => {
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === "7" ? "8" : "7";
      expect(() => read(text.slice(0, at) + other + text.slice(at + 1)), `character ${at}`).toThrow(ReplayError);
    }
  });

  test("it is cut off anywhere", () => {
    for (let length = 0; length < text.length; length++)
      expect(() => read(text.slice(0, length)), `${length} characters`).toThrow(ReplayError);
    expect(() => read(`${text.split("\n").slice(0, 4).join("\n")}\n`)).toThrow("the file was cut off");
  });

  test("something stands behind the end", () => {
    expect(() => read(`${text}\n`)).toThrow(ReplayError);
    expect(() => read(`${text}{}\n`)).toThrow(ReplayError);
    expect(() => read(text.replace(/\}\n$/, " }\n"))).toThrow("not written as");
  });

  test.each([
    [
      "an unknown key",
      (lines: Record<string, unknown>[]) => Object.assign(lines[1]!, { x: 1 }),
      /line 2: unknown key "x"/,
    ],
    [
      "a wrong type",
      (lines: Record<string, unknown>[]) => Object.assign(lines[1]!, { a: [true, null] }),
      /line 2: "a" holds/,
    ],
    [
      "too few seats",
      (lines: Record<string, unknown>[]) => Object.assign(lines[1]!, { a: [3] }),
      /line 2: "a" must have/,
    ],
    [
      "a format to come",
      (lines: Record<string, unknown>[]) => Object.assign(lines[0]!, { lanista_replay: 2 }),
      /line 1: .*format 2/,
    ],
    [
      "too many episodes",
      (lines: Record<string, unknown>[]) => Object.assign(lines[0]!, { episodes: 1 }),
      /more than 1 episodes/,
    ],
    [
      "too few episodes",
      (lines: Record<string, unknown>[]) => Object.assign(lines[0]!, { episodes: 3 }),
      /1 of 3 episodes/,
    ],
    [
      "an outcome without its forfeit",
      (lines: Record<string, unknown>[]) => Object.assign(lines.at(-1)!, { outcome: "agent_fault" }),
      /do not fit/,
    ],
  ])("it has %s, though hash and digest are right", (_, change, message) => {
    expect(() => read(forge(change as never))).toThrow(message as RegExp);
  });

  test("it is no replay, or too large", async () => {
    expect(() => read("hello\n")).toThrow("line 1: not JSON");
    expect(() => read("{}\n")).toThrow("not a Lanista replay");
    const { writeFile } = await import("node:fs/promises");
    const { gzipSync } = await import("node:zlib");
    const bomb = join(stage.dir, "bomb.gz");
    await writeFile(bomb, gzipSync(Buffer.alloc(1024 * 1024 + 1)));
    await expect(readReplayText(bomb, 1024 * 1024)).rejects.toThrow("cannot be unpacked");
    await expect(readReplayText(bomb, 1000)).rejects.toThrow("larger than 1000 bytes");
  });
});

describe("a re-run names the first difference, when a forger changed", () => {
  type Lines = Record<string, never>[];
  const steps = (lines: Lines): Lines => lines.filter((line) => "a" in line);
  test.each<[string, (lines: Lines) => unknown, object]>([
    ["an action to another legal one", (l) => Object.assign(steps(l)[0]!, { a: [8, null] }), { episode: 0 }],
    [
      "an action to an illegal one",
      (l) => Object.assign(steps(l)[2]!, { a: [0, null] }),
      { episode: 0, step: 2, what: /action 0 of seat 0 is not legal/ },
    ],
    [
      "an action to a text",
      (l) => Object.assign(steps(l)[0]!, { a: ["0", null] }),
      { episode: 0, step: 0, what: /action/ },
    ],
    [
      "who acts",
      (l) => Object.assign(steps(l)[1]!, { a: [1, null] }),
      { episode: 0, step: 1, what: /seat 0 is not to act/ },
    ],
    [
      "a reward",
      (l) => Object.assign(steps(l)[1]!, { r: [5, -5] }),
      { episode: 0, step: 1, what: /rewards are \[0,0\]/ },
    ],
    [
      "a return",
      (l) => Object.assign(l.find((line) => "returns" in line)!, { returns: [9, -9] }),
      { episode: 0, what: /returns are/ },
    ],
    ["the scores", (l) => Object.assign(l.at(-1)!, { scores: [-2, 2] }), { episode: null, what: /the scores are/ }],
    ["the ranks", (l) => Object.assign(l.at(-1)!, { ranks: [2, 1] }), { episode: null, what: /the ranks are/ }],
    [
      "the end",
      (l) => Object.assign(l.find((line) => "returns" in line)!, { end: "truncated" }),
      { episode: 0, what: /terminated/ },
    ],
    ["the seed", (l) => Object.assign(l[0]!, { seed: 12 }), { episode: null, what: /chance key/ }],
    ["the chance key", (l) => Object.assign(l[0]!, { chance: [1, 2] }), { episode: null, what: /chance key/ }],
    [
      "the version",
      (l) => Object.assign(l[0]!, { env: { id: "tic-tac-toe", version: 9, options: {} } }),
      { what: /version 9/ },
    ],
    [
      "the environment",
      (l) => Object.assign(l[0]!, { env: { id: "chess", version: 1, options: {} } }),
      { what: /chess is not known/ },
    ],
    [
      "an option",
      (l) => Object.assign(l[0]!, { env: { id: "tic-tac-toe", version: 1, options: { x: 1 } } }),
      { what: /unknown option/ },
    ],
    ["a substitute to a chosen action", (l) => Object.assign(l[0]!, { on_fault: "forfeit" }), { what: /substitute/ }],
  ])("%s", (_, change, expected) => {
    const verdict = verifyReplay(read(forge(change as never)), known) as { ok: boolean; what?: string };
    const { what, ...place } = expected as { what?: RegExp };
    expect(verdict).toMatchObject({ ok: false, ...place });
    if (what !== undefined) expect(verdict.what).toMatch(what);
  });
});
