import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prepareAgent } from "../agents/prepare.ts";
import type { Grade } from "./grade-types.ts";
import { studentView } from "./grade-types.ts";
import { type Files, GradingStage } from "./testing.ts";
import { GradeDocumentError, type GradeVerification, parseGrade, verifyGrade } from "./verify-grade.ts";

const FILES: Files = {
  "task.yaml": `task: 1
title: Doubling
judge: judge.py
limits: { move_seconds: 1, start_seconds: 10, case_seconds: 30, judge_seconds: 5 }
cases:
  - { id: one, seed: 1 }
  - { id: two, seed: 2, hidden: true }
`,
  "judge.py":
    "import random\ndef judge(case, agent):\n    n = random.Random(case['seed']).randrange(100)\n    return float(agent.ask(n) == 2 * n)\n",
};
const AGENT = "def answer(n):\n    return 2 * n if n < 50 else 0\n";
const RANDOM = "import os\ndef answer(n):\n    return [2 * n if n < 50 else 0, os.urandom(4).hex()][0] if n else 0\n";

let stage: GradingStage;
beforeAll(async () => {
  stage = await GradingStage.open();
});
afterAll(() => stage.close());

async function verify(grade: Grade | object, files: Files = FILES, agent = AGENT): Promise<GradeVerification> {
  const prepared = await prepareAgent(await stage.folder({ "agent.py": agent }), { workDir: join(stage.dir, "work") });
  const request = { task: await stage.task(files), agent: prepared, boxes: stage.boxes };
  return await verifyGrade(parseGrade(JSON.stringify(grade)), request);
}

describe("a grade", () => {
  test("is verified by running it again", async () => {
    const grade = await stage.grade(await stage.task(FILES), AGENT);
    expect(grade.cases.map(({ value }) => value)).toEqual([1, 1]);
    expect(await verify(grade)).toMatchObject({ ok: true, differences: [], otherwise: [] });
  });

  test.each([
    [
      "a value that was changed",
      (grade: Grade) => ({ ...grade, points: 0, cases: grade.cases.map((one) => ({ ...one, value: 0 })) }),
      ["value", "value", "points"],
    ],
    ["points that were changed", (grade: Grade) => ({ ...grade, points: 99 }), ["points"]],
    [
      "a seed that was changed",
      (grade: Grade) => ({ ...grade, cases: grade.cases.map((one) => ({ ...one, seed: 9 })) }),
      ["the seed", "the seed"],
    ],
    [
      "a fault that there was none of",
      (grade: Grade) => ({
        ...grade,
        cases: grade.cases.map((one) => ({ ...one, outcome: "agent_fault", fault: "crash" })),
      }),
      ["outcome", "fault", "outcome", "fault"],
    ],
  ])("with %s is found", async (_, change, expected) => {
    const { ok, differences } = await verify(change(await stage.grade(await stage.task(FILES), AGENT)));
    expect(ok).toBe(false);
    expect(differences.map(({ what }) => what)).toEqual(expected);
  });

  test.each([
    ["another agent", FILES, RANDOM, ["the agent's digest"]],
    [
      "another judge",
      { ...FILES, "judge.py": "def judge(case, agent):\n    return 1\n" },
      AGENT,
      ["the task's digest", "the judge's digest"],
    ],
    [
      "a task without one of its cases",
      { ...FILES, "task.yaml": (FILES["task.yaml"] as string).replace(/ {2}- \{ id: two.*\n/, "") },
      AGENT,
      ["the task's digest", "whether there is such a case"],
    ],
  ] as const)("of %s is not even run again", async (_, files, agent, expected) => {
    const { ok, differences, grade } = await verify(await stage.grade(await stage.task(FILES), AGENT), files, agent);
    expect({ ok, grade }).toEqual({ ok: false, grade: null });
    expect(differences.map(({ what }) => what)).toEqual(expected);
  });

  test("that a student was shown cannot be verified, nor what is none", async () => {
    const grade = await stage.grade(await stage.task(FILES), AGENT);
    expect(() => parseGrade(JSON.stringify(studentView(grade)))).toThrow(/cases\.1\.seed: .*student's view/);
    for (const text of ["", "[]", "{}"]) expect(() => parseGrade(text)).toThrow(GradeDocumentError);
  });
});
