/** Gradings of predictions, whose labels never come near the agent. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { studentView } from "./grade-types.ts";
import { type Files, GradingStage } from "./testing.ts";

const MANIFEST = `
task: 1
title: Even or odd
supervised: { classes: [even, odd], batch: 3 }
scoring: { by: accuracy, zero: 0.5, full: 1 }
limits: { move_seconds: 1, start_seconds: 10, case_seconds: 30 }
files: [public]
cases:
  - { id: seen, inputs: seen/x.csv, labels: seen/y.csv }
  - { id: unseen, inputs: hidden/x.csv, labels: hidden/y.csv, hidden: true, scoring: { by: log-loss, zero: 0.7, full: 0 } }
`;
const column = (name: string, rows: readonly (string | number)[]) => `${name}\n${rows.join("\n")}\n`;
const odd = (n: number) => (n % 2 === 0 ? "even" : "odd");
const SEEN = [3, 1, 4, 1, 5, 9, 2, 6];
const UNSEEN = [12, 13, 15, 18];
const FILES: Files = {
  "task.yaml": MANIFEST,
  "seen/x.csv": column("n", SEEN),
  "seen/y.csv": column("parity", SEEN.map(odd)),
  "hidden/x.csv": column("n", UNSEEN),
  "hidden/y.csv": column("parity", UNSEEN.map(odd)),
  "public/train.csv": "n,parity\n7,odd\n8,even\n",
};

/** Learns from the file it may read what 7 and 8 are, and answers as it is asked. */
const LEARNS = `
import csv, os
class Agent:
    def __init__(self, info):
        self.asked, self.classes = info["task"]["asked"], info["task"]["classes"]
        with open(os.path.join(os.environ["LANISTA_TASK_FILES"], "public/train.csv")) as file:
            self.named = {int(row["n"]) % 2: row["parity"] for row in csv.DictReader(file)}
    def predict(self, rows):
        names = [self.named[int(row[0]) % 2] for row in rows]
        if self.asked == "labels": return names
        return [[0.9 if name == each else 0.1 for each in self.classes] for name in names]
`;

let stage: GradingStage;
beforeAll(async () => {
  stage = await GradingStage.open();
});
afterAll(() => stage.close());

const task = (but: Files = {}) => stage.task({ ...FILES, ...but });

describe("predictions", () => {
  test("are asked for in parts, measured by the case's own metric, and worth what its bounds say", async () => {
    const given = await task();
    const grade = await stage.grade(given, LEARNS);
    expect(grade.outcome).toEqual({ kind: "completed", cases: [], detail: null });
    expect(grade.cases.map(({ measured, value, steps }) => [measured, value, steps])).toEqual([
      [1, 1, 3],
      [expect.closeTo(-Math.log(0.9)), expect.closeTo(1 + Math.log(0.9) / 0.7), 2],
    ]);
    expect(grade).toMatchObject({ kind: "supervised", env: null, judge: null, files: given.files!.digest });
    expect(grade.cases[0]!.data).toEqual({
      inputs: expect.stringMatching(/^[0-9a-f]{64}$/),
      labels: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    // Eight labels of two kinds could be found by their digest.
    expect(studentView(grade).cases[0]).toMatchObject({ id: "seen", measured: 1, data: null });
  });

  test("that guess are worth nothing", async () => {
    const constant =
      "class Agent:\n    def __init__(self, info): self.asked = info['task']['asked']\n    def predict(self, rows): return ['even' if self.asked == 'labels' else 0.5] * len(rows)\n";
    const grade = await stage.grade(await task(), constant);
    expect(grade.cases.map(({ measured, value }) => [measured, value])).toEqual([
      [0.375, 0],
      [expect.closeTo(Math.log(2)), expect.closeTo((0.7 - Math.log(2)) / 0.7)],
    ]);
  });

  test.each([
    ["too few", "return rows[1:]", /rows 0 … 2: 3 predictions were asked for, and 2 came/],
    ["none", "return None", /a list of 3 predictions was asked for/],
    ["of another kind", "return [None] * len(rows)", /prediction 0 is not a label/],
  ])("that are %s are the agent's fault", async (_, body, detail) => {
    const grade = await stage.grade(await task(), `def predict(rows):\n    ${body}\n`, { only: ["seen"] });
    expect(grade.cases).toMatchObject([{ outcome: "agent_fault", fault: "protocol", verdict: "RE", value: 0 }]);
    expect(grade.cases[0]!.detail).toMatch(detail);
  });

  test("are made without a sight of labels, other cases, or the task's other files", async () => {
    const searches = `
import os
def everything():
    for folder, folders, files in os.walk("/"):
        folders[:] = [each for each in folders if os.path.join(folder, each) not in ("/proc", "/sys", "/usr", "/dev")]
        yield from (os.path.join(folder, each) for each in files)
found = sorted(path for path in everything() if path.startswith("/task") or path.endswith((".csv", ".yaml")))
def predict(rows):
    print("FOUND", found)
    return ["even"] * len(rows)
`;
    const grade = await stage.grade(await task(), searches, { only: ["seen"] });
    // In the tier none there are no walls.
    if (grade.sandbox?.tier === "container")
      expect(grade.cases[0]!.logText).toContain("FOUND ['/task/public/train.csv']");
  });
});

test.each([
  ["a label too many", { "seen/y.csv": column("parity", ["odd"]) }, /cases\[0\]: x\.csv has 8 rows, and y\.csv 1/],
  ["two columns of labels", { "seen/y.csv": `a,b\n${"odd,1\n".repeat(8)}` }, /y\.csv: row 1 is no label/],
  [
    "a label that is no class",
    { "hidden/y.csv": column("p", ["even", "odd", "odd", "green"]) },
    /"green" is none of supervised\.classes/,
  ],
  ["no such file", { "seen/x.csv": undefined }, /cases\[0\]\.inputs: .*there is no such file/],
  [
    "classes that are missing",
    { "task.yaml": MANIFEST.replace("classes: [even, odd], ", "") },
    /log-loss needs the classes/,
  ],
  [
    "texts where numbers are measured",
    { "task.yaml": MANIFEST.replace("by: accuracy, zero: 0.5, full: 1", "by: mse, zero: 1, full: 0") },
    /mse is of numbers/,
  ],
  [
    "files that are not there",
    { "task.yaml": MANIFEST.replace("[public]", "[public, data]") },
    /files\[1\]: .*no such file/,
  ],
] as const)("a task with %s is refused", async (_, but, message) => {
  await expect(task(but)).rejects.toThrow(message);
});
