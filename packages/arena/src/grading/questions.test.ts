/** Gradings by a judge's questions, each side in a box of its own. */
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { studentView } from "./grade-types.ts";
import { type Files, GradingStage } from "./testing.ts";

const MANIFEST = `
task: 1
title: Doubling
judge: judge.py
limits: { move_seconds: 1, start_seconds: 10, case_seconds: 30, judge_seconds: 5 }
cases:
  - { id: small, seed: 1, data: { most: 10 } }
  - { id: large, seed: 2, data: { most: 1000000 }, hidden: true, weight: 3 }
`;
const JUDGE = `
import random
def judge(case, agent):
    draw = random.Random(case["seed"])
    right = 0
    for _ in range(4):
        number = draw.randint(1, case["data"]["most"])
        print("asking", number)
        if agent.ask({"double": number}) == 2 * number:
            right += 1
    return {"value": right / 4, "detail": "%d of 4" % right, "message": "Almost!" if right < 4 else "Well done."}
`;
const DOUBLES = "def answer(question):\n    return 2 * question['double']\n";
const FILES: Files = { "task.yaml": MANIFEST, "judge.py": JUDGE };

let stage: GradingStage;
beforeAll(async () => {
  stage = await GradingStage.open();
});
afterAll(() => stage.close());

const judged = (judge: string, more: Files = {}) => stage.task({ ...FILES, "judge.py": judge, ...more });

describe("a judge that asks", () => {
  test("gives each case a value, and says why to both sides", async () => {
    const replays = join(stage.dir, "kept");
    const task = await stage.task(FILES);
    const half =
      "def answer(question):\n    print('asked', question)\n    n = question['double']\n    return 2 * n if n < 1000 else 0\n";
    const grade = await stage.grade(task, half, { replays });
    expect(
      grade.cases.map(({ value, verdict, detail, message, steps }) => [value, verdict, detail, message, steps]),
    ).toEqual([
      [1, "OK", "4 of 4", "Well done.", 4],
      [0, "OK", "0 of 4", "Almost!", 4],
    ]);
    expect(grade).toMatchObject({
      points: 25,
      kind: "questions",
      env: null,
      judge: { name: "judge.py", digest: task.judge!.digest },
    });
    expect((await readdir(replays)).sort()).toEqual([
      "large.agent.log",
      "large.judge.log",
      "large.transcript.jsonl",
      "small.agent.log",
      "small.judge.log",
      "small.transcript.jsonl",
    ]);
    expect(readFileSync(join(replays, "small.judge.log"), "utf8")).toContain("asking");
    const lines = readFileSync(join(replays, "small.transcript.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(5);
    expect(lines[0].answer).toBe(2 * lines[0].question.double);
    expect(lines[4]).toMatchObject({ verdict: { value: 1 } });
    const [seen, hidden] = studentView(grade).cases;
    expect(seen).toMatchObject({ message: "Well done.", detail: null, logText: expect.stringContaining("asked") });
    expect(hidden).toEqual({
      id: "hidden-2",
      title: "hidden-2",
      hidden: true,
      weight: 3,
      outcome: "completed",
      value: 0,
      verdict: "OK",
      fault: null,
    });
  });

  test("gives the same again by the same seed", async () => {
    const task = await stage.task(FILES);
    const hashes = async () => (await stage.grade(task, DOUBLES)).cases.map(({ replay }) => replay.hash);
    const first = await hashes();
    expect(await hashes()).toEqual(first);
    expect(new Set(first).size).toBe(2);
  });

  test("and an agent may each be in JavaScript, and a judge a folder with helpers", async () => {
    const judge = `import { twice } from "./runner.mjs";
export async function judge({ data }, agent) {
  console.log("to the log");
  const answer = await agent.ask({ double: data.most });
  return answer === twice(data.most) ? 1 : { value: 0, message: \`not \${answer}\` };
}`;
    const task = await stage.task({
      "task.yaml": MANIFEST.replace("judge: judge.py", "judge: judging"),
      "judging/judge.mjs": judge,
      "judging/runner.mjs": "export const twice = (n) => 2 * n;\n",
    });
    const right = await stage.grade(task, { "agent.mjs": "export const answer = ({ double }) => 2 * double;\n" });
    expect(right.points).toBe(100);
    const wrong = await stage.grade(task, { "agent.mjs": "export class Agent { answer() { return [null, 'x']; } }\n" });
    expect(wrong).toMatchObject({ points: 0, cases: [{ message: "not ,x" }, {}] });
  });

  test("is mapped by the scoring's bounds", async () => {
    const scoring = "scoring: { by: judge, zero: 0.5, full: 0.75 }\ncases:";
    const task = await judged("def judge(case, agent):\n    return 0.7 if case['id'] == 'small' else 0.2\n", {
      "task.yaml": MANIFEST.replace("cases:", scoring),
    });
    const grade = await stage.grade(task, DOUBLES);
    expect(grade.cases.map(({ value, measured }) => [value, measured])).toEqual([
      [expect.closeTo(0.8), 0.7],
      [0, 0.2],
    ]);
  });

  test("is given answers as they are, and gives questions so", async () => {
    const odd = `[1.5, -0.25, "ü\\u2028\\n", None, True, [[]], {"__proto__": 1, "": {}}, 2**53]`;
    const task = await judged(
      `def judge(case, agent):\n    given = ${odd}\n    said = agent.ask(given)\n    return {"value": 1 if said == given else 0, "detail": repr(said)}\n`,
    );
    const grade = await stage.grade(task, "def answer(question):\n    return question\n", { only: ["small"] });
    expect(grade.cases[0]).toMatchObject({ value: 1 });
  });
});

describe("the agent's fault is the agent's:", () => {
  test.each([
    ["hangs", "import time\ndef answer(q): time.sleep(30)\n", "timeout", "TLE"],
    ["raises", "def answer(q): 1 / 0\n", "crash", "RE"],
    ["leaves", "import os\ndef answer(q): os._exit(3)\n", "crash", "RE"],
    ["cannot be loaded", "import no_such_module\n", "start", "RE"],
    ["has no function to ask", "def play(q): return 0\n", "start", "RE"],
    ["answers what is no number", "def answer(q): return float('nan')\n", "crash", "RE"],
    ["answers what JSON has not", "def answer(q): return {1: 2}\n", "crash", "RE"],
    [
      "answers too deeply",
      "def answer(q):\n    x = []\n    for _ in range(99): x = [x]\n    return x\n",
      "crash",
      "RE",
    ],
    [
      "writes its own line",
      'import os\ndef answer(q):\n    for fd in range(4, 20):\n        try: os.write(fd, b\'{"verdict":{"value":1}}\\n\')\n        except OSError: pass\n    return 0\n',
      "protocol",
      "RE",
    ],
  ])("an agent that %s", async (_, script, fault, verdict) => {
    const grade = await stage.grade(await stage.task(FILES), script, { only: ["small"] });
    expect(grade).toMatchObject({ points: 0, outcome: { kind: "agent_fault", cases: ["small"] } });
    expect(grade.cases).toMatchObject([{ value: 0, fault, verdict }]);
  });

  test("an agent that is slow all the time", async () => {
    const task = await stage.task({
      ...FILES,
      "task.yaml": MANIFEST.replace("case_seconds: 30", "case_seconds: 4"),
      "judge.py": "def judge(case, agent):\n    while True: agent.ask(0)\n",
    });
    const grade = await stage.grade(task, "import time\ndef answer(q): time.sleep(0.8)\n", { only: ["small"] });
    expect(grade.cases).toMatchObject([{ outcome: "agent_fault", fault: "timeout", verdict: "TLE", value: 0 }]);
    expect(grade.cases[0]!.detail).toMatch(/not over in its 4 seconds, of which the agent took/);
  });
});

test("an agent that takes its time to start, and then to answer, does not run the clock out on the judge", async () => {
  const task = await stage.task({
    ...FILES,
    "task.yaml": MANIFEST.replace("case_seconds: 30", "case_seconds: 6"),
    "judge.py": "def judge(case, agent):\n    while True: agent.ask(0)\n",
  });
  const slow = "import time\ntime.sleep(3)\ndef answer(q): time.sleep(0.8)\n";
  const grade = await stage.grade(task, slow, { only: ["small"] });
  expect(grade.cases).toMatchObject([{ outcome: "agent_fault", fault: "timeout", value: 0 }]);
});

describe("the judge's fault is the author's, and nobody's loss:", () => {
  const asks = (rest: string) => `def judge(case, agent):\n    agent.ask({"double": 1})\n    ${rest}\n`;
  const RAW = (text: string) =>
    `import os\ndef judge(case, agent):\n    for fd in range(4, 20):\n        try: os.write(fd, ${text})\n        except OSError: pass\n    return 1\n`;
  test.each([
    ["raises", asks("1 / 0"), /crash, the agent|crash, .*ZeroDivisionError/s],
    ["leaves", asks("import os; os._exit(3)"), /crash, the .*program ended with status 3/s],
    ["hangs", asks("import time; time.sleep(30)"), /timeout, no answer within/s],
    ["cannot be loaded", "import no_such_module\n", /start, .*no_such_module/s],
    ["is none", "def jury(case, agent): return 1\n", /start, .*has no function judge/s],
    ["says nothing", asks("pass"), /verdict that is none|crash/s],
    ["says more than all", asks("return 1.5"), /protocol, .*a verdict that is none: value: /s],
    ["says less than nothing", asks("return -0.1"), /a verdict that is none/s],
    ["says what is no number", asks("return float('nan')"), /crash, .*not a finite number/s],
    ["says true", asks("return True"), /a verdict that is none/s],
    ["says a text", asks("return {'value': '1'}"), /a verdict that is none/s],
    ["says what is not asked", asks("return {'value': 1, 'points': 100}"), /a verdict that is none: .*points/s],
    ["says too much", asks("return {'value': 1, 'detail': 'x' * 5000}"), /a verdict that is none: detail/s],
    ["writes garbage", RAW("b'full marks\\n'"), /protocol, .*not JSON/s],
    ["writes NaN itself", RAW(`b'{"id":0,"verdict":{"value":NaN}}\\n'`), /protocol, .*not JSON/s],
    ["writes with an id of its own", RAW(`b'{"id":7,"verdict":{"value":1}}\\n'`), /protocol, .*an id that is not/s],
    ["floods", RAW("b'x' * 5000000"), /protocol, wrote a line of more than/s],
  ])("a judge that %s", async (_, judge, detail) => {
    const more = { "task.yaml": MANIFEST.replace("judge_seconds: 5", "judge_seconds: 1") };
    const grade = await stage.grade(await judged(judge, more), DOUBLES, { only: ["small"] });
    expect(grade).toMatchObject({ points: null, outcome: { kind: "infra_fault", cases: ["small"] } });
    expect(grade.cases).toMatchObject([{ value: null, verdict: null, fault: null }]);
    expect(grade.outcome.detail).toMatch(/^the task's own judge was at fault: /);
    expect(grade.outcome.detail).toMatch(detail);
  });

  test("a judge that takes the case's time", async () => {
    const slow = await judged(
      "import time\ndef judge(case, agent):\n    for _ in range(9):\n        agent.ask({'double': 1})\n        time.sleep(0.8)\n    return 1\n",
      {
        "task.yaml": MANIFEST.replace("case_seconds: 30", "case_seconds: 3"),
      },
    );
    const grade = await stage.grade(slow, DOUBLES, { only: ["small"] });
    expect(grade).toMatchObject({ points: null, outcome: { kind: "infra_fault" } });
    expect(grade.outcome.detail).toMatch(/no more than its part/);
  });
});
