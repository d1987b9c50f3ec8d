import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type EnvironmentCase, parseManifest } from "./manifest.ts";
import { TaskError } from "./task-error.ts";

const GOOD = `
task: 1
title: t
environment: connect-four
scoring: { by: win-rate, zero: 0, full: 1 }
cases:
  - { id: one, seed: 1, opponents: [o.py] }
`;

test("the defaults are filled in, and a case's own options and scoring go before the task's", () => {
  const { limits, points, cases, description } = parseManifest(
    `${GOOD.replace("title: t", "title: t\noptions: { size: 5, swap: true }")}  - { id: two, seed: 2, hidden: true, weight: 3, options: { size: 7 }, scoring: { by: steps, zero: 9, full: 1 } }\n`,
  );
  expect({ points, description }).toEqual({ points: 100, description: "" });
  expect(limits).toEqual({
    moveSeconds: 5,
    bankSeconds: 0,
    startSeconds: 30,
    caseSeconds: 600,
    memoryBytes: 512 * 1024 * 1024,
    cpus: 1,
    judgeSeconds: 60,
    judgeMemoryBytes: 512 * 1024 * 1024,
  });
  expect(cases).toMatchObject([
    { id: "one", title: "one", hidden: false, weight: 1, episodes: 1, seat: 0, options: { size: 5, swap: true } },
    {
      id: "two",
      hidden: true,
      weight: 3,
      options: { size: 7, swap: true },
      scoring: { by: "steps", zero: 9, full: 1 },
    },
  ]);
});

test.each([
  ["no YAML", "task: [", /is not YAML/],
  ["nothing", "", /expected object/],
  ["another version", GOOD.replace("task: 1", "task: 2"), /^task\.yaml: task: must be 1/],
  ["an unknown key", `${GOOD}grader: x\n`, /grader/],
  ["an unknown key of a case", GOOD.replace("seed: 1", "seed: 1, secret: 2"), /cases\[0\]: .*secret/],
  ["no case", GOOD.replace(/cases:[\s\S]*/, "cases: []"), /cases: /],
  ["a seed that is none", GOOD.replace("seed: 1", "seed: 0.5"), /cases\[0\]\.seed: must be an integer/],
  ["a seed past 2^53", GOOD.replace("seed: 1", "seed: 9007199254740993"), /cases\[0\]\.seed/],
  ["a weight of nothing", GOOD.replace("seed: 1", "seed: 1, weight: 0"), /cases\[0\]\.weight/],
  ["one id twice", `${GOOD}  - { id: one, seed: 2 }\n`, /cases: two cases have the same id/],
  ["a scoring that tells nothing apart", GOOD.replace("full: 1", "full: 0"), /scoring: zero and full must differ/],
  ["a bound that is not a number", GOOD.replace("zero: 0", "zero: .nan"), /scoring\.zero/],
  ["a path out of the task", GOOD.replace("o.py", "../o.py"), /cases\[0\]\.opponents\[0\]: must be a path within/],
  ["an absolute path", GOOD.replace("o.py", "/o.py"), /must be a path within/],
  ["a path with a backslash", GOOD.replace("o.py", "..\\\\o.py"), /must be a path within/],
  ["a path with a dot", GOOD.replace("o.py", "a/./o.py"), /must be a path within/],
  [
    "an environment and a judge that is never asked",
    GOOD.replace("scoring", "judge: j.py\nscoring"),
    /judge: is never asked/,
  ],
  ["scoring by a judge that is not there", GOOD.replace("win-rate", "judge"), /judge: needed/],
  ["no kind at all", GOOD.replace("environment: connect-four", "points: 1"), /environment: needed: an environment, or/],
  ["a metric of predictions for play", GOOD.replace("win-rate", "accuracy"), /scoring.by: accuracy is not measured in/],
  ["bounds that are missing", GOOD.replace(", full: 1", ""), /zero and full are needed: what of win-rate is/],
  ["data for nobody", GOOD.replace("seed: 1", "seed: 1, data: 2"), /cases\[0\]\.data: is of a task whose judge asks/],
  [
    "inputs for a judge",
    "task: 1\ntitle: t\njudge: j.py\ncases: [{ id: one, seed: 1, inputs: a.csv }]",
    /cases\[0\]\.inputs: is of a supervised task, and this is a task whose judge asks/,
  ],
  [
    "no seed for a judge",
    "task: 1\ntitle: t\njudge: j.py\ncases: [{ id: one }]",
    /cases\[0\]\.seed: must be an integer/,
  ],
  [
    "predictions without labels",
    "task: 1\ntitle: t\nsupervised: {}\nscoring: { by: mse, zero: 1, full: 0 }\ncases: [{ id: one, inputs: a.csv }]",
    /cases\[0\]\.labels: needed/,
  ],
  [
    "a requirement of nobody",
    GOOD.replace("cases:", "requirements: { judge: r.txt }\ncases:"),
    /requirements\.judge: there/,
  ],
  ["an id that is a path", GOOD.replace("id: one", "id: ../one"), /cases\[0\]\.id: must be of small letters/],
  ["too much of it", `${GOOD}# ${"x".repeat(300_000)}`, /is over 262144 bytes/],
  [
    "a few lines that stand for very many",
    `a: &a [1,2,3,4,5,6,7,8,9]\n${"bcdefgh"
      .split("")
      .map((name, i) => `${name}: &${name} [${`*${"abcdefg"[i]},`.repeat(9)}]`)
      .join("\n")}\n${GOOD}`,
    /is not YAML/,
  ],
])("%s is refused, with its place", (_, source, message) => {
  expect(() => parseManifest(source)).toThrow(TaskError);
  expect(() => parseManifest(source)).toThrow(message);
});

test("a prototype's key is no option", () => {
  const { cases } = parseManifest(GOOD.replace("title: t", 'title: t\noptions: { "__proto__": 1 }'));
  expect(cases[0]).toMatchObject({ kind: "environment" });
  expect(Object.getPrototypeOf((cases[0] as EnvironmentCase).options)).toBe(Object.prototype);
});

test("the starter is one", () => {
  const starter = readFileSync(join(import.meta.dirname, "../../../cli/templates/task/environment/task.yaml"), "utf8");
  expect(parseManifest(starter.replace("SEED", "1")).cases.map(({ hidden }) => hidden)).toEqual([false, false, true]);
});
