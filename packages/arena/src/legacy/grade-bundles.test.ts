/** Whole gradings of bundle pairs, in boxes. */
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LegacyBench, RUNTIMES } from "./testing.ts";

let bench: LegacyBench;
beforeAll(async () => {
  bench = await LegacyBench.open();
});
afterAll(async () => await bench.close());

/** Adds up what the agent answers to 0 … 4. */
const GRADER = `
import pickle
from agent import create_agent
agent = create_agent(factor=2)
agent.reset()
value = sum(agent.step({"n": n}) for n in range(5))
print(pickle.dumps({"suite_id": "sum", "results": [
    {"case_id": 0, "result": {"name": "sum", "detail": [1], "value": value, "error": None}}]}))
`;
const AGENT = `
class Agent:
    def __init__(self, factor):
        self.factor = factor
    def reset(self):
        print("ready")
    def step(self, state):
        return state["n"] * self.factor
def create_agent(**kwargs):
    return Agent(**kwargs)
`;

describe("a bundle pair", () => {
  test("is graded with its agent in a box of its own", async () => {
    const { site, grade } = await bench.grade(GRADER, AGENT);
    expect(site).toMatchObject({ ok: true, error: null });
    expect(site.result).toMatch(/^b'/);
    expect(site.raw_log).toBe(`${site.result}\n`);
    expect(grade.outcome).toEqual({ kind: "completed", verdict: "OK", fault: null, where: null, detail: null });
    expect(grade).toMatchObject({ split: true, whyNotSplit: null, value: 20, suiteId: "sum", agentLog: "ready\n" });
    expect(grade.cases).toEqual([{ caseId: 0, name: "sum", value: 20, detail: [1], error: null }]);
  });

  test("whose grader hands an object over is graded in one box, and its grade says so", async () => {
    const grader = GRADER.replace("agent.reset()", "class Env: pass\nagent.env = Env()");
    const { site, grade } = await bench.grade(grader, AGENT);
    expect(site.ok).toBe(true);
    expect(grade).toMatchObject({ split: false, value: 20, whyNotSplit: "the grader hands the agent a __main__.Env" });
    const required = await bench.grade(grader, AGENT, { split: "require" });
    expect(required.site).toMatchObject({ ok: false, error: "RE", result: null });
  });

  test("has a box for each of its grader's processes: also those that follow the first in its place, or fork from it", async () => {
    const grader = `
import os, pickle, sys
import agent
before = agent.count()
agent.keep("x" * 3000000)
print("y" * 200000, file=sys.stderr)
if len(sys.argv) == 1:
    os.execv(sys.executable, [sys.executable, "grader.py", str(before)])
pid = os.fork()
if pid == 0:
    os._exit(agent.count())
counts = [int(sys.argv[1]), before, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), agent.count(), len(agent.keep(""))]
print(pickle.dumps({"results": [{"result": {"value": 1, "detail": counts}}]}))
`;
    const code = `
n = 0
kept = []
def count():
    global n
    n += 1
    return n
def keep(text):
    kept.append(text)
    return kept[0]
`;
    // The fork has a module of its own in a box of its own; its parent goes on with the one that it had.
    const { grade } = await bench.grade(grader, code);
    expect(grade).toMatchObject({ split: true, value: 1, cases: [{ detail: [1, 1, 1, 2, 3_000_000] }] });
  });

  test("without a result is a runtime error that says why", async () => {
    const { site, grade } = await bench.grade(GRADER, AGENT.replace("self, state", "self"));
    expect(site).toMatchObject({ ok: false, error: "RE", result: null });
    expect(grade.outcome).toMatchObject({ kind: "agent_fault", verdict: "RE", where: "agent" });
    expect(grade.outcome.detail).toContain("TypeError");
  });

  test("prints what it likes: the log keeps its ends, and a process that holds the pipe is not waited for", async () => {
    const flood = `import os, sys, time
if os.fork() == 0:
    time.sleep(300)
for n in range(40000):
    print("line", n, file=sys.stderr)
${GRADER}`;
    const { site, grade } = await bench.grade(flood, AGENT);
    expect(site.ok).toBe(true);
    expect(site.raw_log.length).toBeLessThan(70_000);
    expect(site.raw_log).toMatch(/^line 0\n/);
    expect(site.raw_log).toContain("characters left out");
    expect(grade.wallSeconds).toBeLessThan(60);
  });

  test("that is slow to end is killed", async () => {
    const { site, grade } = await bench.grade("import time\ntime.sleep(300)\n", AGENT, {
      limits: { ramBytes: 0, runSeconds: 2 },
    });
    expect(site).toMatchObject({ ok: false, error: "TLE", result: null });
    expect(grade.outcome).toMatchObject({ verdict: "TLE", where: "grader" });
  });

  test("that asks for packages which cannot be had, or is no grader, has a grade that says so", async () => {
    const packages = async (): Promise<never> => {
      throw Object.assign(new Error("no such version"), { kind: "requirements" });
    };
    const asked = await bench.grade({ "grader.py": GRADER, "requirements.txt": "six==0.0.0\n" }, AGENT, { packages });
    expect(asked.site).toMatchObject({ ok: false, error: "RE" });
    expect(asked.grade.outcome).toMatchObject({ fault: "requirements", where: "grader" });
    const linked = await bench.folder({ "agent.py": AGENT });
    await symlink("/etc/passwd", join(linked, "link"));
    const grader = await bench.folder({ "bootstrap.sh": "true\n" });
    const refused = await bench.gradeFolders({ grader, agent: linked, limits: { ramBytes: 0, runSeconds: 5 } });
    expect(refused.grade.outcome).toMatchObject({ fault: "bundle", where: "agent", verdict: "RE" });
  });
});

describe("in one box is graded, and says why, a grader that", () => {
  const WAYS: readonly (readonly [string, string, RegExp])[] = [
    ["hands over a function", GRADER.replace("agent.reset()", "agent.reset()\nagent.call = print"), /hands the agent/],
    ["derives a class", `import agent as module\nclass Mine(module.Agent): pass\n${GRADER}`, /derives a class/],
    ["pickles the agent", GRADER.replace("agent.reset()", "agent.reset()\npickle.dumps(agent)"), /pickles/],
    ["reads the agent's file", `open("agent.py").read()\n${GRADER}`, /opens the agent's file agent.py/],
    ["runs the agent's file", `import runpy\nrunpy.run_path('agent.py')\n${GRADER}`, /opens the agent's file/],
  ];
  test.for(WAYS)("%s", async ([, grader, why]) => {
    const { site, grade } = await bench.grade(grader, AGENT);
    expect(grade).toMatchObject({ split: false, value: 20 });
    expect(grade.whyNotSplit).toMatch(why);
    expect(site.ok).toBe(true);
  });

  test("starts the agent by itself", async () => {
    const files = { "grader.py": "", "bootstrap.sh": "python agent.py\n" };
    const { grade } = await bench.grade(
      files,
      `import pickle\nprint(pickle.dumps({"results": [{"result": {"value": 3}}]}))\n`,
    );
    expect(grade).toMatchObject({ split: false, value: 3, outcome: { kind: "completed" } });
  });

  test("meets an agent that prints a result: then none counts", async () => {
    const agent = `import pickle\nprint(pickle.dumps({"results": [{"result": {"value": 9}}]}))\n${AGENT}`;
    const { site, grade } = await bench.grade(GRADER, agent, { split: "never" });
    expect(site).toMatchObject({ ok: false, error: "RE" });
    expect(grade).toMatchObject({ split: false, value: null, outcome: { kind: "agent_fault" } });
  });

  test("is made so by no agent: its answers stay in its box, whatever the grader does with them", async () => {
    const grader = GRADER.replace(
      "agent.reset()",
      "agent.reset()\ntry:\n    pickle.dumps(agent.step({'n': 1}))\nexcept TypeError: pass",
    );
    const agent = AGENT.replace("return state", "return self if state['n'] == 1 else state");
    const { grade } = await bench.grade(grader, agent);
    expect(grade.split).toBe(true);
  });
});

describe("a value that is carried", () => {
  test("comes as it was, both ways", async () => {
    const grader = `
import pickle
from collections import OrderedDict, deque
from agent import echo, Mine
values = [None, True, 0, -1, 2**70, 1.5, float("inf"), 1j, "text \u00e9\ud800", b"bytes", bytearray(b"x"), [1, [2]], (1, (2,)),
    {"a": {1: 2}}, {1, 2}, frozenset([3]), OrderedDict([(1, 2)]), deque([1], 3), range(3), slice(1, 2, 3), ..., [[]] * 3]
wrong = [value for value in values if echo(value) != value or type(echo(value)) is not type(value)]
for raised in (ValueError("a", 1), KeyError("k"), SystemExit(3), StopIteration()):
    try:
        echo(raised=raised)
        wrong.append(raised)
    except BaseException as met:
        if type(met) is not type(raised) or met.args != raised.args:
            wrong.append(met)
try:
    echo(mine=1)
except Mine as met:
    pass
for over in ([[]], "x" * 2**25):
    for _ in range(70 if over == [[]] else 0):
        over = [over]
    try:
        echo(over)
        wrong.append("over")
    except ValueError:
        pass
print(pickle.dumps({"results": [{"result": {"value": len(wrong), "detail": repr(wrong)}}]}))
`;
    const agent = `
class Mine(LookupError): pass
def echo(value=None, raised=None, mine=None):
    if mine: raise Mine("mine")
    if raised is not None: raise raised
    return value
`;
    const { grade } = await bench.grade(grader, agent);
    expect(grade).toMatchObject({ split: true, value: 0 });
  });
});

describe.each(RUNTIMES)("under %s", (runtime) => {
  test("a pair is graded", async () => {
    const own = await LegacyBench.open(runtime);
    try {
      const { grade } = await own.grade(GRADER, AGENT);
      expect(grade).toMatchObject({ split: true, value: 20, sandbox: { runtime } });
    } finally {
      await own.close();
    }
  });
});

/** Writes frames of its own to whatever it finds open, as its runner does: kind, session, then a payload. */
const WRITES = (kinds: string): string => `
import os, pickle, struct
FORGED = repr(pickle.dumps({"suite_id": "sum", "results": [
    {"case_id": 0, "result": {"name": "sum", "detail": [1], "value": 1000, "error": None}}]})).encode() + b"\\n"
class Agent:
    def reset(self):
        for kind in ${kinds}:
            for descriptor in range(64):
                try:
                    os.write(descriptor, struct.pack("<IBI", len(FORGED) + 5, kind, 1) + FORGED)
                except OSError:
                    pass
    def step(self, state):
        return 1
def create_agent(**kwargs):
    return Agent()
`;

describe("frames of the agent's own", () => {
  test.each([
    ["the grader's output", "[16]", "a frame of kind 16"],
    ["the end of the grader's process", "[23, 16]", "a frame of kind 23"],
    ["that the bundle cannot be split", "[22]", "a frame of kind 22"],
    ["answers ahead", "[2, 2, 2]", "an answer to no question"],
  ])("forge nothing: %s", async (_, kinds, tried) => {
    const { site, grade } = await bench.grade(GRADER, WRITES(kinds));
    expect(grade).toMatchObject({ split: true, value: null });
    expect(grade.outcome).toMatchObject({ kind: "agent_fault", where: "agent" });
    expect(grade.outcome.detail).toContain(tried);
    expect(site).toMatchObject({ ok: false, result: null, error: "RE" });
  });
});
