import { describe, expect, test } from "vitest";
import { converse } from "./testing/agent-files.ts";
import type { Turn } from "./testing/conversation.ts";
import { findPythons } from "./testing/interpreters.ts";
import { PARTS } from "./testing/spaces.ts";

const READY = { type: "ready", protocol: 1 };
const pythons = findPythons();
const board = { observation: [1, 2, 3, 4, 5, 6], mask: [0, 1, 1] };

test("a Python is there to test with", () => {
  expect(pythons.length).toBeGreaterThan(0);
});

describe.each(pythons)("Python $version (NumPy: $numpy)", ({ path, numpy }) => {
  const python = (source: string, more: Record<string, string> = {}) =>
    converse("python", { "agent.py": source, ...more }, path);
  /** Starts an agent, asks one question and gives the answer. */
  const once = async (source: string, options = {}, turn: Turn = board) => {
    const agent = python(source);
    expect(await agent.start(options), agent.log).toEqual(READY);
    return agent.ask(turn);
  };

  test.each([
    ["class Agent:\n def __init__(self, player_id): self.me = player_id\n def act(self, obs): return self.me"],
    ["class Agent:\n me = 3\n def get_action(self, obs): return self.me"],
    [
      "class Agent:\n def __init__(self, **kw): self.me = kw['player_id']\n def predict(self, obs): return self.me, None",
    ],
    [
      "class A:\n def act(self, obs): return self.me\ndef create_agent(player_id=7):\n a = A(); a.me = player_id; return a",
    ],
    ["class A:\n def act(self, obs): return 3\ndef create_agent(): return A()"],
    [
      "class Agent:\n def __init__(self, player_id=0, info=None): self.me = info['seat']\n def act(self, obs): return self.me",
    ],
    [
      "from dataclasses import dataclass\n@dataclass\nclass Agent:\n  player_id: int\n  def act(self, obs): return self.player_id",
    ],
    [
      "import functools\ndef d(f):\n @functools.wraps(f)\n def g(*a, **k): return f(*a, **k)\n return g\nclass A:\n def act(self, obs): return 3\n@d\ndef create_agent(): return A()",
    ],
    ["def get_action(obs): return 3"],
    ["def act(obs): return 3"],
  ])("form %#: %j", async (source) => {
    expect(await once(source, { seat: 3, seats: 4 })).toEqual({ action: 3 });
  });

  test("what the agent prints and reads does not reach the protocol", async () => {
    const agent = python(`
import os, subprocess, sys
print("loaded")
class Agent:
    def act(self, obs):
        print("thinking"); sys.stdout.write('{"id":1,"action":0}\\n'); os.write(1, b"raw\\n")
        subprocess.call(["/bin/sh", "-c", "echo child; read line && echo stolen"])
        try: input()
        except EOFError: return 2
`);
    expect(await agent.start()).toEqual(READY);
    expect(await agent.ask(board)).toEqual({ action: 2 });
    expect(await agent.ask(board)).toEqual({ action: 2 });
    expect(await agent.close()).toEqual({ code: 0, signal: null });
    for (const text of ["loaded", "thinking", '{"id":1,"action":0}', "raw", "child"]) expect(agent.log).toContain(text);
    expect(agent.log).not.toContain("stolen");
  });

  test("prints are in the log at once, even if the agent is killed", async () => {
    const agent = python(
      "import os, signal\ndef act(obs):\n print('last words')\n os.kill(os.getpid(), signal.SIGKILL)",
    );
    await agent.start();
    await expect(agent.ask(board)).rejects.toThrow("ended without an answer");
    await agent.ended;
    expect(agent.log).toContain("last words");
  });

  test("nothing of the agent is loaded, and none of its files needs to be there, before start", async () => {
    const agent = converse("python", {}, path);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await agent.start({ entry: "absent.py" })).toMatchObject({
      id: null,
      error: expect.stringContaining("absent.py"),
    });
  });

  test("observations have the space's shape, with the mask only where legal actions vary", async () => {
    const see = "import json\ndef act(obs):\n import sys\n print(obs, file=sys.stderr)\n return 0";
    const agent = python(see);
    await agent.start({ masked: true });
    await agent.ask(board);
    const plain = python(see);
    await plain.start({ masked: false });
    await plain.ask({ observation: board.observation });
    const discrete = python(see);
    await discrete.start({ masked: false, observationSpace: { type: "Discrete", n: 16 } });
    await discrete.ask({ observation: 7 });
    for (const one of [agent, plain, discrete]) await one.close();
    const flat = (log: string) => log.replace(/[\s,]+/g, " ").trim();
    expect(flat(agent.log)).toBe(
      numpy
        ? "{'observation': array([[1 2 3] [4 5 6]] dtype=int8) 'action_mask': array([0 1 1] dtype=int8)}"
        : "{'observation': [[1 2 3] [4 5 6]] 'action_mask': [0 1 1]}",
    );
    expect(flat(plain.log)).toBe("[[1 2 3] [4 5 6]]");
    expect(flat(discrete.log)).toBe("7");
  });

  test("three dimensions, one dimension, and floats", async () => {
    const see = "def act(obs): return int(obs[1][0][1])";
    const shape = { type: "Box", shape: [2, 2, 2], dtype: "float32", low: -10, high: 10 } as const;
    const cube = { observation: [0, 1, 2, 3, 4, 5.5, 6, 7] };
    expect(await once(see, { masked: false, observationSpace: shape }, cube as never)).toEqual({ action: 5 });
    const line = { ...shape, shape: [8] };
    const one = "def act(obs): return int(obs[5] * 2)";
    expect(await once(one, { masked: false, observationSpace: line }, cube as never)).toEqual({ action: 11 });
  });

  /** An agent that returns these values, one after the other. */
  const returning = async (values: readonly string[]) => {
    const imports = numpy ? "import numpy as np\n" : "";
    const agent = python(`${imports}values = iter([${values.join(", ")}])\ndef act(obs): return next(values)`);
    expect(await agent.start(), agent.log).toEqual(READY);
    return agent;
  };

  test("parts, texts and odd floats of bundled environments, and actions that are lists", async () => {
    const single = { type: "Box", shape: [2], dtype: "float32", low: "-Infinity", high: "Infinity" };
    const observationSpace = {
      type: "Dict",
      spaces: {
        a: {
          type: "Tuple",
          spaces: [
            { type: "Discrete", n: 3 },
            { type: "Text", max_length: 9 },
          ],
        },
        b: single,
      },
    };
    const actionSpace = { ...single, shape: [2, 1] };
    const options = { masked: false, observationSpace, actionSpace };
    const turn = { observation: { a: [2, "hé"], b: [0.5, "-Infinity"] }, mask: undefined as never };
    const told = (act: string) => once(`def act(o):\n a, b = o["a"], o["b"]\n ${act}`, options, turn);
    const odd = "return [float(a == (2, 'hé')), [float(b[0] == .5 and b[1] == -float('inf'))]]";
    expect(await told(odd)).toEqual({ action: [1, 1] });
    expect(await told("return 3")).toEqual({ action: [3] });
    if (numpy)
      expect(await told("return b * 0 + .25 if b.dtype == 'float32' and 0 else b[:1] - .25")).toEqual({
        action: [0.25],
      });
    for (const wrong of ["[0, float('nan')]", "None", "[[1], 'x']", "{}"])
      expect((await told(`return ${wrong}`)).error).toContain("an action is finite numbers");
  });

  test("actions of parts and texts", async () => {
    const options = { masked: false, actionSpace: PARTS };
    const told = (act: string) => once(`def act(o):\n return ${act}`, options, { ...board, mask: undefined as never });
    expect(await told("{'said': 'hé\"', 'pair': (2, [[.5], 1])}")).toEqual({
      action: { pair: [2, [0.5, 1]], said: 'hé"' },
    });
    expect((await told("{'pair': (2, [.5, 1])}")).error).toContain("a dictionary of pair, said");
    expect((await told("[(2, [.5, 1]), 'hé']")).error).toContain("a dictionary of pair, said");
    expect((await told("{'said': b'', 'pair': (2, [.5, 1])}")).error).toContain("an action is a text");
    expect((await told("{'said': '', 'pair': 2}")).error).toContain("a tuple of 2 parts");
    expect((await told("{'said': '', 'pair': (2.0, [.5, 1])}")).error).toContain("an action is an integer");
    expect((await told("{'said': '', 'pair': (2, [.5, float('inf')])}")).error).toContain("finite numbers");
  });

  test("bools, None, floats, texts, lists and integers beyond 2^53 are not actions", async () => {
    const wrong = {
      True: "bool",
      None: "NoneType",
      "1.0": "float",
      "'1'": "str",
      "[1]": "list",
      "10 ** 400": "int",
      "2 ** 53": "int",
    };
    const agent = await returning(Object.keys(wrong));
    for (const type of Object.values(wrong))
      expect((await agent.ask(board)).error).toContain(`an action is an integer, and the agent returned ${type}`);
  });

  test("an action out of range is passed on: the host judges it", async () => {
    const agent = await returning(["-1", "2 ** 53 - 1"]);
    expect(await agent.ask(board)).toEqual({ action: -1 });
    expect(await agent.ask(board)).toEqual({ action: 2 ** 53 - 1 });
  });

  test.skipIf(!numpy)(
    "NumPy's integers and arrays without dimensions are actions, its bools and floats are not",
    async () => {
      const right = ["np.int64(2)", "np.uint8(2)", "np.array(2)", "np.argmax([0, 1, 5])", "np.array([0, 2])[1]"];
      const wrong = ["np.bool_(True)", "np.float64(2)", "np.array([2])", "np.array(2.0)"];
      const agent = await returning([...right, ...wrong]);
      for (const value of right) expect(await agent.ask(board), value).toEqual({ action: 2 });
      for (const value of wrong) expect((await agent.ask(board)).error, value).toContain("an action is an integer");
    },
  );

  test.each([
    ["a syntax error", "def act(obs:\n", "SyntaxError"],
    ["an error while loading", "import nonsense_module", "nonsense_module"],
    [
      "an error in the constructor",
      "class Agent:\n def __init__(self): raise ValueError('no luck')",
      "ValueError: no luck",
    ],
    ["an exit while loading", "raise SystemExit(3)", "SystemExit: 3"],
    ["no function to call", "x = 1", "act(observation)"],
    ["an argument nobody gives", "class Agent:\n def __init__(self, model): pass", "model"],
  ])("%s is an error at start", async (_, source, text) => {
    const agent = python(source);
    expect(await agent.start()).toEqual({ id: null, error: expect.stringContaining(text) });
    await agent.ended;
    expect(agent.log).toContain(text);
  });

  test("an error names the agent's lines and not the runner's, and the next question is answered", async () => {
    const agent = python(
      "def think(obs):\n  return 1 // int(obs['observation'][0][0])\ndef act(obs):\n  return think(obs)",
    );
    await agent.start();
    const { error } = await agent.ask({ observation: [0, 0, 0, 0, 0, 0], mask: [1] });
    expect(error).toMatch(/agent\.py", line 4, in act[\s\S]*agent\.py", line 2, in think[\s\S]*ZeroDivisionError/);
    expect(error).not.toContain("runner.py");
    expect(await agent.ask(board)).toEqual({ action: 1 });
  });

  test("an error's text is bounded in the answer and in the log", async () => {
    const agent = python("def act(obs):\n raise ValueError('x' * 10_000_000 + 'the end')");
    await agent.start();
    const { error } = await agent.ask(board);
    expect(error!.length).toBeLessThan(5000);
    expect(error).toContain("the end");
    await agent.close();
    expect(agent.log.length).toBeLessThan(20_000);
  });

  test("an error that cannot be described, endless recursion and an exit are answers too", async () => {
    const agent = python(`
class Mean(Exception):
    def __str__(self): raise Mean()
class Agent:
    turn = 0
    def act(self, obs):
        self.turn += 1
        if self.turn == 1: raise Mean()
        if self.turn == 2: return self.act_again()
        if self.turn == 3: raise SystemExit(0)
        return 5
    def act_again(self): return self.act_again()
`);
    await agent.start();
    expect((await agent.ask(board)).error).toContain("Mean");
    expect((await agent.ask(board)).error).toContain("RecursionError");
    expect((await agent.ask(board)).error).toContain("SystemExit");
    expect(await agent.ask(board)).toEqual({ action: 5 });
  });

  test("reset() before each episode, episode_end(reward) after it; an error in it answers the next question", async () => {
    const agent = python(`
class Agent:
    count = 0
    total = 0
    def reset(self): self.count += 1
    def episode_end(self, reward):
        self.total += reward
        if self.count == 3: raise ValueError("a bad end")
    def act(self, obs): return 10 * self.count + self.total
`);
    await agent.start();
    const end = (episode: number) =>
      agent.say({ type: "episode_end", episode, reward: 0, return: 2, terminated: true, truncated: false });
    expect(await agent.ask({ ...board, episode: 0 })).toEqual({ action: 10 });
    expect(await agent.ask({ ...board, episode: 0 })).toEqual({ action: 10 });
    end(0);
    expect(await agent.ask({ ...board, episode: 1 })).toEqual({ action: 22 });
    end(1);
    expect(await agent.ask({ ...board, episode: 2 })).toEqual({ action: 34 });
    end(2);
    expect((await agent.ask({ ...board, episode: 3 })).error).toContain("a bad end");
    expect(await agent.ask({ ...board, episode: 3 })).toEqual({ action: 46 });
  });

  test("modules, data and standard modules' names beside the agent", async () => {
    const agent = python(
      "from lib.helper import three\nfour = int(open('four.txt').read())\ndef act(obs): return three + four",
      {
        "lib/__init__.py": "",
        "lib/helper.py": "three = 3",
        "four.txt": "4",
      },
    );
    await agent.start();
    expect(await agent.ask(board)).toEqual({ action: 7 });

    const named = converse(
      "python",
      { "random.py": "import json, random\ndef act(obs): return len(json.dumps([1]))" },
      path,
    );
    expect(await named.start({ entry: "random.py" }), named.log).toEqual(READY);
    expect(await named.ask(board)).toEqual({ action: 3 });
  });

  test("hashes are the same in every process, so that one seed gives one match", async () => {
    const agents = [1, 2].map(() => python("def act(obs): return hash('x') % 1000000"));
    for (const agent of agents) await agent.start();
    expect(await agents[0]!.ask(board)).toEqual(await agents[1]!.ask(board));
  });

  test("messages and keys it does not know are passed over; it leaves at the end of the input", async () => {
    const agent = python("def act(obs): return 1");
    agent.say({ type: "files" });
    await agent.start();
    agent.say({ type: "news", of: "a later version" });
    expect(await agent.ask(board)).toEqual({ action: 1 });
    expect(await agent.close()).toEqual({ code: 0, signal: null });
  });
});
