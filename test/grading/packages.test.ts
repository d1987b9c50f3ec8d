/** Tasks with requirements, and with a bundled environment, graded in real boxes with real packages. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EnvironmentBoxes } from "@lanista/arena/bundled/environment-boxes";
import { type Files, GradingStage } from "@lanista/arena/grading/testing";
import { findPython } from "@lanista/sandbox/interpreters";
import type { PackageSet } from "@lanista/sandbox/python/package-sets";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pythonPackages } from "../server/python.ts";

const venv = pythonPackages(join(import.meta.dirname, "requirements.txt"));

let stage: GradingStage;
beforeAll(async () => {
  stage = await GradingStage.open();
});
afterAll(() => stage.close());

const QUESTIONS: Files = {
  "task.yaml":
    "task: 1\ntitle: t\njudge: judge.py\nrequirements: { agent: agent.txt, judge: judge.txt }\ncases: [{ id: one, seed: 1 }]\n",
  "agent.txt": "numpy\n",
  "judge.txt": "scikit-learn\n",
  "judge.py":
    "from sklearn.metrics import accuracy_score\ndef judge(case, agent):\n    return accuracy_score([1, 2], agent.ask(2))\n",
};

describe.skipIf(venv === null)("requirements", () => {
  const held = new Set<string>();
  const provider = async (text: string): Promise<PackageSet> => {
    if (text.includes("no-such")) throw Object.assign(new Error("no version of no-such"), { kind: "requirements" });
    const { path, mounts } = await findPython(join(venv!, "bin/python"));
    held.add(text);
    return { key: text.trim(), python: path, mounts, release: () => held.delete(text) };
  };

  test("are there for the agent and the judge, are named in the grade, and are given back", async () => {
    const agent = "import numpy\ndef answer(n):\n    return numpy.arange(1, n + 1)\n";
    const grade = await stage.grade(await stage.task(QUESTIONS), agent, { packages: provider });
    expect(grade).toMatchObject({ points: 100, packages: { agent: "numpy", judge: "scikit-learn" } });
    expect(held).toEqual(new Set());
  }, 60_000);

  test("that cannot be met are the author's, and of a kind that nobody loses by", async () => {
    const task = await stage.task({ ...QUESTIONS, "judge.txt": "no-such\n" });
    await expect(stage.grade(task, "", { packages: provider })).rejects.toThrow(/requirements\.judge: no version of/);
    expect(held).toEqual(new Set());
    await expect(stage.grade(task, "")).rejects.toThrow(/Python packages cannot be had here/);
  });
});

const GUESSING: Files = {
  "task.yaml": `task: 1
title: Count to three
environment: ./counting
scoring: { by: reward, zero: 0, full: 3 }
limits: { move_seconds: 1, start_seconds: 10, case_seconds: 60 }
cases: [{ id: one, seed: 1 }, { id: again, seed: 1, hidden: true }]
`,
  "counting/environment.yaml":
    "environment: 1\nid: counting\nentry: counting:Counting\napi: gymnasium\nreturn_range: [0, 3]\n",
  "counting/counting.py": `
import gymnasium
class Counting(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Discrete(4), gymnasium.spaces.Discrete(2)
    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return 0, {}
    def step(self, action):
        self.steps += 1
        return self.steps, float(action), self.steps == 3, False, {}
`,
};
const libraries = pythonPackages(join(import.meta.dirname, "../environments/requirements.txt"));

describe.skipIf(libraries === null)("a bundled environment", () => {
  test("is what a case is played in, and is named in the grade", async () => {
    const python = await findPython(join(libraries!, "bin/python"));
    const environments = new EnvironmentBoxes(stage.host, {
      tier: "container",
      guestDir: stage.boxes.guestDir,
      python,
    });
    const task = await stage.task(GUESSING);
    const grade = await stage.grade(task, "def act(seen):\n    return 1\n", { environments });
    expect(grade).toMatchObject({ points: 100, env: "counting", envVersion: 1, envBundle: task.environment!.digest });
    const half = await stage.grade(task, "def act(seen):\n    return 1 if seen == 0 else 0\n", { environments });
    expect(half.cases.map(({ measured }) => measured)).toEqual([1, 1]);
    // A judge is given what was seen, done and earned in it.
    const judge =
      "def judge(case, record):\n    steps = record['episodes'][0]['steps']\n    assert [step['observations'] for step in steps] == [[0], [1], [2]]\n    return sum(step['rewards'][0] for step in steps) / 3\n";
    const judged = await stage.task({
      ...GUESSING,
      "task.yaml": `${(GUESSING["task.yaml"] as string).replace("by: reward, zero: 0, full: 3", "by: judge")}judge: judge.py\n`,
      "judge.py": judge,
    });
    expect(await stage.grade(judged, "def act(seen):\n    return 1\n", { environments })).toMatchObject({
      points: 100,
    });
    // Which takes an environment that plays the same match again.
    const fickle = (GUESSING["counting/counting.py"] as string).replace("float(action)", "__import__('time').time()");
    const other = {
      "counting/counting.py": fickle,
      "judge.py": judge,
      "task.yaml": await readFile(join(judged.bundle, "task.yaml"), "utf8"),
    };
    const fickler = await stage.grade(await stage.task({ ...GUESSING, ...other }), "def act(seen):\n    return 1\n", {
      environments,
    });
    expect(fickler).toMatchObject({ points: null, outcome: { kind: "infra_fault" } });
    expect(fickler.outcome.detail).toMatch(/task's own environment was at fault: .*does not give the same match again/);
  }, 120_000);

  test("that seats others than the case names is the author's fault", async () => {
    const python = await findPython(join(libraries!, "bin/python"));
    const environments = new EnvironmentBoxes(stage.host, {
      tier: "container",
      guestDir: stage.boxes.guestDir,
      python,
    });
    const manifest = (GUESSING["task.yaml"] as string).replaceAll("seed: 1", "seed: 1, seat: 1");
    const grade = await stage.grade(await stage.task({ ...GUESSING, "task.yaml": manifest }), "", { environments });
    expect(grade.outcome.detail).toMatch(/the case one is for seat 1 and names 0 opponents, and counting has 1 seats/);
  });
});

describe("a bundled environment that is broken", () => {
  test("is the author's fault, and nobody's loss", async () => {
    const environments = new EnvironmentBoxes(stage.host, {
      tier: "container",
      guestDir: stage.boxes.guestDir,
      python: await findPython("/usr/bin/python3"),
    });
    const grade = await stage.grade(await stage.task(GUESSING), "def act(seen):\n    return 1\n", { environments });
    expect(grade).toMatchObject({
      points: null,
      outcome: { kind: "infra_fault", cases: ["one", "again"] },
      env: "counting",
    });
    expect(grade.outcome.detail).toMatch(/^the task's own environment was at fault: /);
  });

  test("or that cannot be had, is said to be so", async () => {
    await expect(stage.grade(await stage.task(GUESSING), "")).rejects.toThrow(/cannot be had here/);
    await expect(stage.task({ ...GUESSING, "counting/environment.yaml": "environment: 2\n" })).rejects.toThrow(
      /environment: "counting": environment\.yaml/,
    );
  });
});
