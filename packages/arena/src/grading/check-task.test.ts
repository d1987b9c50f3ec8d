/** What `task check` finds: each planted, and not found in a twin without it. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findLeaks } from "./check/leaks.ts";
import { checkTask, type TaskReport } from "./check-task.ts";
import { type Files, GradingStage } from "./testing.ts";

const ASKING = `
task: 1
title: Doubling
judge: judge.py
limits: { move_seconds: 1, start_seconds: 10, case_seconds: 30, judge_seconds: 5 }
cases:
  - { id: only, seed: 20261128, hidden: true, data: { offset: 1234567890 } }
reference: reference.py
cheat: cheat.py
`;
/** Tells right from wrong, whatever it is answered. */
const SOUND = `
import random
def judge(case, agent):
    draw = random.Random(case["seed"])
    numbers = [draw.randint(10**6, 10**9) for _ in range(3)]
    return sum(agent.ask(n) == 2 * n for n in numbers) / 3
`;
const FILES: Files = {
  "task.yaml": ASKING,
  "judge.py": SOUND,
  "reference.py": "def answer(question):\n    return 2 * question\n",
  "cheat.py": "def answer(question):\n    return question\n",
};

let stage: GradingStage;
beforeAll(async () => {
  stage = await GradingStage.open();
});
afterAll(() => stage.close());

/** By the named cheats of ours, or all: each takes a start or two of boxes. */
const check = async (files: Files, ways: readonly string[] | "all" = []): Promise<TaskReport> => {
  const request = { task: await stage.task(files), boxes: stage.boxes, concurrency: 2 };
  return await checkTask(ways === "all" ? request : { ...request, ways });
};
const told = ({ findings }: TaskReport) => findings.map(({ who, message }) => `${who}: ${message}`);

describe("a judge", () => {
  test("that is sound passes, and was tried by every cheat", async () => {
    const report = await check(FILES, "all");
    expect(told(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, reference: { points: 100 }, cheat: { points: 0 } });
    expect(report.tried.length).toBeGreaterThan(25);
    expect(report.tried).toContain("hang");
  });

  test("that takes the agent's word is found, by the way it was said", async () => {
    const judge = `
def judge(case, agent):
    said = agent.ask("how well did you do?")
    if isinstance(said, dict) and "value" in said: return said["value"]
    return 1 if said == 42 or "PASSED" in str(said) or "points" in str(said) else 0
`;
    const reference = "def answer(question):\n    return 42\n";
    const report = await check({ ...FILES, "judge.py": judge, "reference.py": reference }, [
      "forge",
      "claim",
      "claim_text",
      "echo",
      "one",
    ]);
    expect(told(report)).toEqual([
      expect.stringMatching(/^judge: can be forged: an agent that prints forged verdicts .* scored 1/),
      expect.stringMatching(
        /^judge: can be forged: an agent that answers with a verdict of its own: full marks scored 1/,
      ),
      expect.stringMatching(/^judge: can be forged: an agent that answers with the text of such a verdict scored 1/),
    ]);
  });

  test("that compares carelessly, or fails on what it is answered, is found", async () => {
    const judge = `
def judge(case, agent):
    said = agent.ask(3)
    return 1 if said >= 6 else 0  # more is right, too; and not everything can be compared
`;
    const report = await check({ ...FILES, "judge.py": judge }, ["largest", "none"]);
    const findings = told(report);
    expect(findings).toContainEqual(
      expect.stringMatching(/^judge: can be forged: an agent that always answers the largest/),
    );
    expect(findings).toContainEqual(
      expect.stringMatching(/^judge: fails on an agent that always answers nothing, and a student could hide a loss/),
    );
  });

  test("that changes its mind is found", async () => {
    const judge = `${SOUND.replace('random.Random(case["seed"])', "random.Random()")}
def judge(case, agent):
    return 0.5 + random.random() / 2 if agent.ask(1) == 2 else 0
`;
    const { findings } = await check({ ...FILES, "judge.py": judge });
    expect(findings).toContainEqual({
      who: "judge",
      case: "only",
      message: expect.stringMatching(/^changes its mind: of the same/),
    });
  });

  test("whose answers lie in a readable file is found by who reads it", async () => {
    const judge = `
def judge(case, agent):
    return sum(agent.ask(q) == a for q, a in (("capital of Norway", "Oslo"), ("capital of Peru", "Lima"))) / 2
`;
    const facts = "question,answer\ncapital of Norway,Oslo\ncapital of Peru,Lima\n";
    const reference = "def answer(q):\n    return {'capital of Norway': 'Oslo', 'capital of Peru': 'Lima'}[q]\n";
    const given = { ...FILES, "judge.py": judge, "reference.py": reference, "data/facts.csv": facts };
    const report = await check({ ...given, "task.yaml": `${ASKING}files: [data]\n` }, ["read"]);
    expect(told(report)).toEqual([
      "judge: can be forged: an agent that reads every file it can and answers with what it finds there scored 1 (measured 1)",
    ]);
    expect(told(await check(given, ["read"]))).toEqual([]);
  });
});

test("a wrong reference is found", async () => {
  const { findings } = await check({
    ...FILES,
    "reference.py": "def answer(question):\n    return 2 * question + question % 2\n",
  });
  expect(findings.map(({ who }) => who)).toEqual(["reference"]);
  expect(findings[0]!.message).toMatch(/^scored 0[.\d]* of 1/);
});

const LABELS = Array.from({ length: 60 }, (_, i) => ((i * 7919) % 61) % 2);
const INPUTS = LABELS.map((_, i) => (i * 37) % 101);
const PREDICTING = `
task: 1
title: Parity
supervised: { classes: [0, 1] }
scoring: { by: accuracy, zero: 0.75, full: 1 }
limits: { move_seconds: 1, start_seconds: 10, case_seconds: 30 }
files: [public]
template: template.py
cases:
  - { id: all, inputs: hidden/x.csv, labels: hidden/y.csv }
reference: reference
cheat: template.py
`;
const SUPERVISED: Files = {
  "task.yaml": PREDICTING,
  "hidden/x.csv": `x\n${INPUTS.join("\n")}\n`,
  "hidden/y.csv": `y\n${LABELS.join("\n")}\n`,
  "public/train.csv": "x,y\n500,1\n501,0\n",
  "template.py": "def predict(rows):\n    return [0 for row in rows]\n",
  "reference/agent.py": "from known import ALL\ndef predict(rows):\n    return [ALL[int(row[0])] for row in rows]\n",
  "reference/known.py": `ALL = ${JSON.stringify(Object.fromEntries(INPUTS.map((x, i) => [x, LABELS[i]]))).replace(/"(\d+)"/g, "$1")}\n`,
};

describe("a supervised task", () => {
  test("that is sound passes", async () => {
    expect(told(await check(SUPERVISED, "all"))).toEqual([]);
  });

  test("that pays for constants is found", async () => {
    const report = await check({ ...SUPERVISED, "task.yaml": PREDICTING.replace("zero: 0.75", "zero: 0.1") }, [
      "class_1",
    ]);
    expect(told(report)).toContainEqual(
      expect.stringMatching(/^task: pays for nothing: an agent that always predicts 1 scored 0\.\d/),
    );
  });

  test("whose labels lie beside the training data is found twice: by content, and by who reads them", async () => {
    const report = await check({ ...SUPERVISED, "public/solution.csv": SUPERVISED["hidden/y.csv"] }, [
      "read",
      "uniform",
    ]);
    expect(told(report)).toEqual([
      expect.stringMatching(/^leak: public\/solution\.csv: holds labels \(hidden\/y\.csv\), and the agent may read it/),
      expect.stringMatching(/^leak: public\/solution\.csv: holds the labels of the case all/),
      expect.stringMatching(/^task: pays for nothing: an agent that reads every file .* scored 1/),
    ]);
  });
});

describe("a leak", () => {
  const leaks = async (base: Files, files: Files): Promise<string[]> =>
    (await findLeaks(await stage.task({ ...base, ...files }))).map(({ path, message }) => `${path}: ${message}`);
  const y = LABELS.join("\n");

  test.each([
    [
      "labels among other columns",
      { "public/all.csv": `x,y,z\n${INPUTS.map((x, i) => `${x},${LABELS[i]},0`).join("\n")}\n` },
      /the labels of the case all, row by row/,
    ],
    ["labels as JSON", { "public/a.json": JSON.stringify({ v: LABELS }) }, /the labels of the case all/],
    ["labels as floats", { "public/a.txt": LABELS.map((v) => v.toFixed(1)).join(" ") }, /the labels of the case all/],
    [
      "labels in a longer list",
      { "public/a.txt": `0 1 1 0 1 ${LABELS.join(" ")} 0 1 1` },
      /the labels of the case all/,
    ],
    ["labels, packed", { "public/y.gz": gzipSync(`${y}\n`) }, /holds labels|the labels of the case all/],
    [
      "labels in the template",
      { "template.py": `${SUPERVISED["template.py"]}Y = ${JSON.stringify(LABELS)}\n` },
      /template\.py: .*students are given it/,
    ],
    [
      "the reference",
      { "public/solution.py": SUPERVISED["reference/known.py"] },
      /holds the reference \(reference\/known\.py\)/,
    ],
    [
      "the reference within another file",
      { "public/notes.md": `See:\n\n${SUPERVISED["reference/known.py"]}\nand so on.` },
      /holds the reference/,
    ],
    [
      "the folder of the hidden files",
      { "task.yaml": PREDICTING.replace("[public]", "[public, hidden]") },
      /hidden\/y\.csv: is labels, and the agent may read it/,
    ],
    [
      "the manifest",
      { "task.yaml": PREDICTING.replace("[public]", "[public, task.yaml]") },
      /task\.yaml: is the manifest/,
    ],
  ])("of %s is found", async (_, files, message) => {
    expect((await leaks(SUPERVISED, files as Files)).join("\n")).toMatch(message);
  });

  test.each([
    [
      "a hidden case's seed",
      { "public/readme.md": "We drew it with seed=20261128." },
      /holds the seed of the case only/,
    ],
    [
      "what the judge is told",
      { "public/a.json": '{"offset": 1234567890}' },
      /holds what the judge is told of the case only/,
    ],
    ["the judge", { "public/old-judge.py": `# as it was\n${SOUND}` }, /holds the judge \(judge\.py\)/],
  ])("of %s is found", async (_, files, message) => {
    const given = { ...FILES, "task.yaml": `${ASKING}files: [public]\n`, ...files };
    expect((await leaks(given, {})).join("\n")).toMatch(message);
  });

  test.each([
    ["the labels in another order", { "public/a.txt": LABELS.toReversed().join(" ") }],
    ["a number that begins like the seed", { "public/a.txt": "202611280" }],
  ])("is not: %s", async (_, files) => {
    expect(await leaks(SUPERVISED, files)).toEqual([]);
    expect(await leaks({ ...FILES, "task.yaml": `${ASKING}files: [public]\n` }, files)).toEqual([]);
  });
});
