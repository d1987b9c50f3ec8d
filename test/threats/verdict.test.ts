/**
 * The verdict, in tasks of our own: an agent that does not know the answer is paid nothing, whatever it prints, writes, walks through, leaves
 * behind or kills. That the same program would be paid is shown by `knows`, and that each way really tried stands in its log.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentBoxes } from "@lanista/arena/agent-boxes";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import { gradeAgent } from "@lanista/arena/grading/grade";
import type { Grade } from "@lanista/arena/grading/grade-types";
import { studentView } from "@lanista/arena/grading/grade-types";
import { type PreparedTask, takeTask } from "@lanista/arena/grading/task";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  cannot,
  HOSTILE,
  isGrouped,
  openStage,
  ROOT,
  RUNTIMES,
  type Stage,
  type TestedRuntime,
  tierOf,
} from "./support/boxes.ts";
import { boxLeftovers, leftovers, NOTHING, ownerName } from "./support/leftovers.ts";

const MANIFEST = `task: 1
title: The secret
judge: judge
files: [public]
limits: { move_seconds: 10, start_seconds: 30, case_seconds: 60, judge_seconds: 20 }
cases:
  - { id: first, seed: 1, data: { secret: secret-of-this-case } }
  - { id: second, seed: 2, data: { secret: secret-of-the-next }, hidden: true }
`;
const JUDGE = `
def judge(case, agent):
    right = 0
    for _ in range(4):
        right += agent.ask("what is the secret?") == case["data"]["secret"]
    print("asked in", case["id"])
    return right / 4
`;
/** What the walls are for: it believes what it is told. */
const TRUSTING = "def judge(case, agent):\n    return 1 if 'verdict' in str(agent.ask('what is the secret?')) else 0\n";

let stage: Stage;
let owner: string;
let dir: string;
let tasks: Record<"sound" | "trusting", PreparedTask>;
beforeAll(async () => {
  stage = await openStage();
  owner = ownerName(stage.runDir)!;
  dir = mkdtempSync(join(tmpdir(), "lanista-verdict-"));
  const task = async (judge: string): Promise<PreparedTask> => {
    const folder = mkdtempSync(join(dir, "given-"));
    for (const name of ["judge", "public"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "task.yaml"), MANIFEST);
    writeFileSync(join(folder, "judge/judge.py"), judge);
    writeFileSync(join(folder, "public/readme.txt"), "Find the secret.\n");
    return await takeTask(folder, join(dir, "work"));
  };
  tasks = { sound: await task(JUDGE), trusting: await task(TRUSTING) };
});
afterAll(async () => {
  await stage.close();
  rmSync(dir, { recursive: true, force: true });
  expect(leftovers(stage, owner)).toEqual(NOTHING);
});

async function grade(
  runtime: TestedRuntime,
  way: string,
  more: { readonly task?: PreparedTask; readonly only?: readonly string[]; readonly replays?: string } = {},
): Promise<Grade> {
  const folder = mkdtempSync(join(dir, "agent-"));
  cpSync(join(HOSTILE, "verdict.py"), join(folder, "agent.py"));
  writeFileSync(join(folder, "way.txt"), way);
  // Beside it, the names that graders have had.
  for (const name of ["judge.py", "sitecustomize.py", "conftest.py", "lanista_questions.py", "bootstrap.sh"])
    writeFileSync(join(folder, name), "raise SystemExit(0)\n");
  const boxes = new AgentBoxes(stage.host, {
    tier: tierOf(runtime),
    runtime,
    giveUp: [...cannot(runtime).keys()],
    interpreters: { python: stage.python },
    guestDir: join(ROOT, "guest"),
    limits: { memoryBytes: 192 * 1024 * 1024 },
  });
  const agent = await prepareAgent(folder, { workDir: join(dir, "agents") });
  return await gradeAgent({ task: tasks.sound, agent, boxes, ...more });
}

describe.each(RUNTIMES)("%s", (runtime) => {
  it("pays who knows, and only where he knows", async () => {
    const { cases } = await grade(runtime, "knows");
    expect(cases.map(({ value, outcome }) => [value, outcome])).toEqual([
      [1, "completed"],
      [0, "completed"],
    ]);
  });

  it("prints a forged result first: nothing, where a judge that believed it would pay", async () => {
    expect((await grade(runtime, "prints_forged", { only: ["first"] })).points).toBe(0);
    expect((await grade(runtime, "prints_forged", { only: ["first"], task: tasks.trusting })).points).toBe(100);
  });

  it("overwrites the grader, bootstrap.sh, conftest.py, sitecustomize.py, the requirements: only its own scratch space", async () => {
    const result = await grade(runtime, "overwrites");
    expect(result).toMatchObject({ points: 0, outcome: { kind: "completed" } });
    const wrote = [...result.cases[0]!.logText!.matchAll(/wrote (\S+)/g)].map(([, path]) => path!);
    expect(wrote).toContain("/tmp/judge.py");
    expect(wrote.filter((path) => !path.startsWith("/tmp/"))).toEqual([]);
  });

  it("walks stack frames and the collector's referents: the question is there, and no answer", async () => {
    const result = await grade(runtime, "walks", { only: ["first"] });
    expect(result.points).toBe(0);
    expect(result.cases[0]!.logText).toContain("walked True question True secrets []");
  });

  it("leaves a daemon that says another thing: it changes nothing, and dies with the box", async () => {
    const result = await grade(runtime, "leaves_daemon");
    expect(result.points).toBe(0);
    expect(result.cases[0]!.logText).toContain("daemon lives");
    expect(boxLeftovers(stage, owner)).toEqual(NOTHING);
  });

  it("reads this case's answer, or the next test case: neither is there", async () => {
    const result = await grade(runtime, "reads");
    expect(result).toMatchObject({ points: 0, outcome: { kind: "completed" } });
    expect(result.cases[0]!.logText).toContain("found []");
    // A hidden case's log is not shown to its student.
    expect(JSON.stringify(studentView(result).cases[1])).not.toContain("found");
  });

  it("stores something in one case: it is there at the next question, and not in the next case", async () => {
    const { cases } = await grade(runtime, "remembers");
    for (const { logText } of cases)
      expect([...logText!.matchAll(/kept (\w+)/g)].map(([, kept]) => kept)).toEqual(["False", "True", "True", "True"]);
  });

  it.skipIf(!isGrouped)("kills all that it can reach: its own fault, and no rematch", async () => {
    const replays = mkdtempSync(join(dir, "kept-"));
    const result = await grade(runtime, "kills", { replays, only: ["first"] });
    expect(result.cases).toMatchObject([{ outcome: "agent_fault", fault: "crash", value: 0, verdict: "RE" }]);
    // Asked once, and killing once.
    expect(readFileSync(join(replays, "first.agent.log"), "utf8").match(/killing/g)).toHaveLength(1);
    expect(readFileSync(join(replays, "first.transcript.jsonl"), "utf8").trim().split("\n")).toHaveLength(1);
  });
});
