/** Judges that are given the record of what was played, and files that could not be written. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Files, GradingStage } from "./testing.ts";

const MANIFEST = `
task: 1
title: Corners first
environment: tic-tac-toe
judge: judge.py
scoring: { by: judge, zero: 0, full: 1 }
limits: { move_seconds: 1, start_seconds: 10, case_seconds: 60, judge_seconds: 5 }
cases:
  - { id: first, seed: 1, episodes: 2, opponents: [opponent.py] }
`;
/** Worth the share of one's moves into a free corner: seen in what one saw, not in what one won. */
const JUDGE = `
def judge(case, record):
    assert case["id"] == "first" and case["seed"] == 1, case
    assert record["env"]["id"] == "tic-tac-toe" and record["seats"] == 2
    seat, good, moves = record["seat"], 0, 0
    for episode in record["episodes"]:
        assert episode["end"] == "terminated" and sum(episode["returns"]) == 0
        for step in episode["steps"]:
            action = step["actions"][seat]
            if action is None: continue
            assert step["actions"][1 - seat] is None
            seen = step["observations"][seat]
            assert seen[2 * action : 2 * action + 2] == [0, 0]
            moves += 1
            good += action in (0, 2, 6, 8)
    print(moves, "moves")
    return {"value": good / moves, "message": "%d of %d in corners" % (good, moves)}
`;
const FIRST = "def act(seen):\n    return list(seen['action_mask']).index(1)\n";
const FILES: Files = { "task.yaml": MANIFEST, "judge.py": JUDGE, "opponent.py": FIRST };

let stage: GradingStage;
beforeAll(async () => {
  stage = await GradingStage.open();
});
afterAll(() => stage.close());

test("a judge is given what each seat saw, did and earned, and its value stands", async () => {
  // First against itself plays 0, 1, 2, 3, 4, 5, 6: seat 0 moves 0, 2, 4, 6.
  const grade = await stage.grade(await stage.task(FILES), FIRST);
  expect(grade.cases).toMatchObject([
    { value: 0.75, measured: 0.75, message: "6 of 8 in corners", verdict: "OK", steps: 14 },
  ]);
});

test("what is at fault in the play never comes before the judge", async () => {
  const grade = await stage.grade(await stage.task(FILES), "def act(seen):\n    return 99\n");
  expect(grade.cases).toMatchObject([{ value: 0, fault: "illegal_action", message: null }]);
});

test("a judge that fails on a record, or asks where nobody is to be asked, is the author's fault", async () => {
  for (const judge of [
    "def judge(case, record):\n    1 / 0\n",
    "def judge(case, record):\n    return record.ask(1)\n",
  ]) {
    const grade = await stage.grade(await stage.task({ ...FILES, "judge.py": judge }), FIRST);
    expect(grade).toMatchObject({ points: null, outcome: { kind: "infra_fault" } });
    expect(grade.outcome.detail).toMatch(/^the task's own judge was at fault: crash/);
  }
});

test("files that could not be written are named, and change nothing about the grade", async () => {
  const blocked = join(stage.dir, "blocked");
  writeFileSync(blocked, "");
  const grade = await stage.grade(await stage.task(FILES), FIRST, { replays: join(blocked, "replays") });
  expect(grade.points).toBe(75);
  expect(grade.unwritten.map(({ file }) => file.slice(blocked.length))).toEqual([
    "/replays/first.jsonl",
    "/replays/first.seat-0.log",
    "/replays/first.seat-1.log",
    "/replays/first.judge.log",
  ]);
});
