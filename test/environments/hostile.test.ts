/** Environments that do not keep to what they owe: never an agent's loss, and nothing is stuck. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BundledSource, EnvironmentBoxes } from "@lanista/arena/bundled/environment-boxes";
import { EnvironmentFault } from "@lanista/arena/episodes/episodes";
import { SeededChance } from "@lanista/games/chance";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Workplace } from "./support.ts";

let work: Workplace;
let boxes: EnvironmentBoxes;
beforeAll(async () => {
  work = await Workplace.open();
  boxes = await work.boxes();
});
afterEach(() => expect(work.host.live).toBe(0));
afterAll(() => work.close());

/** An environment without any library: spaces are known by the names of their classes. */
const PRELUDE = `
import os, signal, sys, threading, time
class Discrete:
    def __init__(self, n): self.n = n
    def seed(self, seed): pass
def shout(data):
    while data: data = data[os.write(4, data):]
class Plain:
    action_space, observation_space = Discrete(3), Discrete(5)
    def reset(self, seed=None):
        self.steps = 0
        return 0, {}
    def step(self, action):
        self.steps += 1
        return self.steps % 5, 0.5, self.steps == 8, False, {}
`;
/** `seconds`: what each answer may take. Short where it is waited for; else a busy host has time to find out what it was. */
const files = (source: string, seconds = 20): Record<string, string> => ({
  "environment.yaml": [
    "environment: 1",
    "id: hostile",
    "entry: hostile:Env",
    "api: gymnasium",
    `limits: {memory_mb: 96, pids: 16, step_seconds: ${seconds}, reset_seconds: ${seconds}, start_seconds: 20}`,
  ].join("\n"),
  "hostile.py": `${PRELUDE}\n${source}`,
});
const step = (body: string): string =>
  `class Env(Plain):\n    def step(self, action):\n        ${body.replaceAll("\n", "\n        ")}\n`;
const AGENT = "def act(seen): return 2";

describe("an environment is at fault that", () => {
  test.each<[string, string, RegExp]>([
    ["writes garbage in the place of an answer", step("shout(b'garbage\\n')\ntime.sleep(9)"), /what is no answer/],
    [
      "answers twice",
      step("shout(b'{\"id\":3}\\n')\nreturn super().step(action)"),
      /a list with one value|no list|nothing was asked/,
    ],
    ["writes a line without end", step("while True: shout(b'x' * 1000000)"), /a line of more than/],
    ["nests deeper than there is a stack", step("shout(b'[' * 1000000 + b'\\n')\ntime.sleep(9)"), /what is no answer/],
    ["never answers", step("time.sleep(99)"), /no answer to step within 1 s/],
    ["computes for ever", step("while True: pass"), /no answer to step within 1 s/],
    ["ends", step("os._exit(3)"), /ended with status 3/],
    ["exits", step("sys.exit('enough')"), /SystemExit: enough/],
    ["closes its output", step("os.closerange(3, 64)\ntime.sleep(9)"), /closed its output|no answer|ended with status/],
    ["forks without end", step("while True:\n    os.fork()"), /processes and threads|BlockingIOError/],
    ["uses up its memory", step("hog = bytearray(1 << 30)\nhog[::4096] = b'x' * len(hog[::4096])"), /memory/],
    ["prints without end", step("while True: print('x' * 1000000)"), /printed more than|no answer to step/],
    ["shows what is not in its space", step("return 7, 0, False, False, {}"), /7 is no integer in 0 … 4/],
    [
      "gives a reward that is no number",
      step("return 1, float('nan'), False, False, {}"),
      /a reward that is not a number/,
    ],
    ["forgets what a step gives", step("return 1, 0, False, {}"), /not enough values to unpack/],
    [
      "fails at its reset",
      "class Env(Plain):\n    def reset(self, seed=None): raise RuntimeError('no ' + 'x' * 9999)",
      /RuntimeError: no x/,
    ],
    [
      "never comes back from its reset",
      "class Env(Plain):\n    def reset(self, seed=None): time.sleep(99)",
      /no answer to reset within 1 s/,
    ],
  ])("%s", async (_, source, detail) => {
    const made = await boxes.source(await work.bundle(files(source, detail.source.includes("no answer") ? 1 : 20)));
    const episodes = await made.open();
    try {
      const played = async (): Promise<void> => {
        await episodes.reset(SeededChance.fromSeed(1));
        await episodes.step([2]);
        await episodes.step([2]);
      };
      const fault = await played().catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(EnvironmentFault);
      expect(fault).toMatchObject({ ours: false, message: expect.stringMatching(detail) });
      expect(fault).toHaveProperty("message", expect.stringContaining("the environment was at fault: "));
    } finally {
      await episodes.close();
      await made.close();
    }
  });

  test("and the match is nobody's loss", async () => {
    const made = await boxes.source(await work.bundle(files(step("os._exit(3)"))));
    try {
      const { result, board } = await work.play(made, [AGENT], { logs: join(work.dir, "logs") });
      expect(result.outcome).toMatchObject({ kind: "infra_fault", environment: true });
      expect(result).toMatchObject({ attempts: 1, seats: [{ score: null, rank: null, faults: 0 }] });
      expect(result.environment).toMatchObject({ bundle: made.bundle, sandbox: { tier: "container" } });
      expect(readFileSync(result.environment!.log!, "utf8")).toBe("");
      expect(board).toBeNull();
    } finally {
      await made.close();
    }
  });

  test.each<[string, string, RegExp]>([
    ["is not there", "", /has no attribute 'Env'/],
    ["cannot be loaded", "raise ImportError('no such library')", /no such library/],
    ["takes for ever to be loaded", "time.sleep(99)", /no answer to open within 3 s/],
    ["has a space that there is not", "class Env(Plain): action_space = object()", /is none of Discrete/],
    ["says of its spaces what makes no sense", "class Env(Plain): observation_space = Discrete(-4)", /makes no sense/],
    [
      "has more actions than a mask may have",
      "class Dict: spaces = {'observation': Discrete(2), 'action_mask': Discrete(2)}\nclass Env(Plain): action_space, observation_space = Discrete(10**6), Dict()",
      /a mask of more than/,
    ],
  ])("%s", async (_, source, detail) => {
    const late = files(source)["environment.yaml"]!.replace("start_seconds: 20", "start_seconds: 3");
    const given = detail.source.includes("no answer") ? { "environment.yaml": late } : {};
    const bundle = await work.bundle({ ...files(source), ...given });
    const opened = boxes.source(bundle).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(await opened).toBeInstanceOf(EnvironmentFault);
    expect(await opened).toMatchObject({ ours: false, message: expect.stringMatching(detail) });
  });

  test("says other things of itself the second time", async () => {
    const source = `
class Env(Plain):
    action_space = Discrete(time.time_ns() % 2**40 + 2)
`;
    const made = await boxes.source(await work.bundle(files(source)));
    try {
      await (await made.open()).close();
      await expect(made.open()).rejects.toThrow(/other things of its seats/);
    } finally {
      await made.close();
    }
  });
});

describe("an environment in a box", () => {
  const fair = files("class Env(Plain): pass");

  test("may ask for parts as deep as they may be, and no deeper", async () => {
    const deep = (levels: number): string => `
class Dict:
    def __init__(self, one): self.spaces = {"a": one}
    def seed(self, seed): pass
def within(depth): return Dict(within(depth - 1)) if depth else Discrete(3)
class Env(Plain): action_space = within(${levels})
`;
    const made = await boxes.source(await work.bundle(files(deep(8))));
    try {
      const { result } = await work.play(made, [
        "def act(seen):\n action = 2\n for _ in range(8): action = {'a': action}\n return action",
      ]);
      expect(result.outcome).toEqual({ kind: "completed" });
    } finally {
      await made.close();
    }
    await expect(boxes.source(await work.bundle(files(deep(9))))).rejects.toThrow(/more than 8 deep/);
  });

  test("does not keep a match from being cancelled, or from its own time", async () => {
    const slow = await work.bundle({
      ...files(step("time.sleep(99)")),
      "environment.yaml": files("")["environment.yaml"]!.replace("step_seconds: 20", "step_seconds: 90"),
    });
    const made = await boxes.source(slow);
    try {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 1000);
      const cancelled = await work.play(made, [AGENT], { signal: abort.signal });
      expect(cancelled.result.outcome).toMatchObject({ kind: "cancelled" });
      const late = await work.play(made, [AGENT], { matchSeconds: 2 });
      expect(late.result).toMatchObject({ timedOut: true, outcome: { kind: "cancelled" } });
    } finally {
      await made.close();
    }
  });

  test("never sees an action that is not legal: that is its agent's fault", async () => {
    const made = await boxes.source(await work.bundle(fair));
    try {
      const { result } = await work.play(made, ["def act(seen): return 3"]);
      expect(result.outcome).toMatchObject({ kind: "agent_fault", fault: "illegal_action" });
      const random = await work.play(made, ["def act(seen): return 3"], { onFault: "random" });
      expect(random.result).toMatchObject({
        outcome: { kind: "completed" },
        steps: 8,
        seats: [{ faults: 8, score: 4 }],
      });
    } finally {
      await made.close();
    }
  });

  test("that a host takes away is ours: the match is played again", async () => {
    const made = await boxes.source(await work.bundle(fair));
    try {
      let opened = 0;
      const source = {
        ...pick(made),
        open: async () => {
          const episodes = await made.open();
          if (opened++ === 0) episodes.cancel();
          return episodes;
        },
      };
      const { result } = await work.play(source as never, [AGENT]);
      expect(result).toMatchObject({ attempts: 2, outcome: { kind: "completed" } });
    } finally {
      await made.close();
    }
  });
});

function pick({ id, version, options, bundle, views, returnRange, zeroSum }: BundledSource) {
  return { id, version, options, bundle, views, returnRange, zeroSum };
}
