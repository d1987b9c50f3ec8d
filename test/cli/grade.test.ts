/** `lanista init task`, `task check` and `grade` as scripts and people see them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LANISTA, runProgram } from "./spawn.ts";

const folder = mkdtempSync(join(tmpdir(), "lanista-cli-grade-"));
const run = (...args: string[]) => runProgram(LANISTA, args, folder);

/** Wins tic-tac-toe from seat 0 against itself, and loses it from seat 1. */
const FIRST = "def act(seen):\n    return list(seen['action_mask']).index(1)\n";

beforeAll(() => {
  mkdirSync(join(folder, "small"));
  writeFileSync(
    join(folder, "small", "task.yaml"),
    `task: 1
title: "Small \\e[2J"
environment: tic-tac-toe
scoring: { by: win-rate, zero: 0, full: 1 }
cases:
  - { id: first, seed: 1, opponents: [first.py] }
  - { id: unseen, seed: 8144299373116770, seat: 1, hidden: true, weight: 3, opponents: [first.py] }
`,
  );
  writeFileSync(join(folder, "small", "first.py"), FIRST);
  writeFileSync(join(folder, "first.py"), FIRST);
  writeFileSync(join(folder, "fails.py"), "def act(seen):\n    raise ValueError('no idea')\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the starter tells its reference from its cheat, and its next lines work", async () => {
  expect((await run("init", "task", "mine")).stdout).toMatch(
    /Wrote .*mine: cheat\.py, opponent\.py, reference\.py, task\.yaml\nTry it:\n {2}\$ lanista task check mine\n {2}\$ lanista grade mine mine\/opponent\.py/,
  );
  const checked = await run("task", "check", "mine");
  expect(checked.stdout).toBe(`mine

✓ reference, which must score full marks: 100 of 100
✓ cheat, which must score nothing: 0 of 100
✓ nothing hidden can be read

The task tells right from wrong.
`);
  expect(checked.status).toBe(0);
  const graded = await run("grade", "mine", "mine/opponent.py", "--json");
  expect(graded.status).toBe(0);
  expect(JSON.parse(graded.stdout).points).toBeLessThan(100);
  expect((await run("init", "task", "mine")).status).toBe(2);
}, 120_000);

test("a grade is shown case by case, with its points", async () => {
  const ran = await run("grade", "small", "first.py", "--replays", "kept");
  expect(ran.stdout.replace(/ · [\d.]+ s\n/, " · TIME\n")).toBe(`Small \ufffd[2J: first.py

tic-tac-toe · 2 cases · TIME

case             verdict  value  weight  measured
first            OK           1       1         1
unseen (hidden)  OK           0       3         0

25 of 100 points
`);
  expect(ran.status).toBe(0);
  expect(readdirSync(join(folder, "kept"))).toContain("unseen.jsonl");
  const document = JSON.parse((await run("grade", "small", "first.py", "--json")).stdout);
  expect(Object.keys(document)).toEqual([
    "outcome",
    "points",
    "outOf",
    "cases",
    "task",
    "kind",
    "agent",
    "judge",
    "files",
    "packages",
    "env",
    "envVersion",
    "envBundle",
    "sandbox",
    "unwritten",
    "wallSeconds",
    "engine",
  ]);
  expect(document.cases[1]).toMatchObject({ id: "unseen", seed: 8144299373116770, cpuSeconds: expect.any(Number) });
}, 60_000);

test("a grade is verified by its files and another run, and found wrong where it was changed", async () => {
  const { stdout } = await run("grade", "small", "first.py", "--json");
  const files = ["--task", "small", "--agent", "first.py"];
  writeFileSync(join(folder, "grade.json"), stdout);
  expect(await run("grade", "verify", "grade.json", ...files)).toMatchObject({
    status: 0,
    stdout: "The grade is right.\n",
  });
  writeFileSync(join(folder, "grade.json"), stdout.replace(/"points": ?25/, '"points":100'));
  const wrong = await run("grade", "verify", "grade.json", ...files);
  expect(wrong.status).toBe(1);
  expect(wrong.stdout).toBe("points: the grade says 100, here it is 25\nThe grade could not be verified.\n");
  const other = await run("grade", "verify", "grade.json", "--task", "small", "--agent", "fails.py");
  expect(other.status).toBe(1);
  expect(other.stdout).toMatch(/^the agent's digest: the grade says "[0-9a-f]{64}"[\s\S]*So it was not run again\./);
  expect((await run("grade", "verify", "small/task.yaml", ...files)).stderr).toMatch(/is no grade: it is not JSON/);
}, 60_000);

test("a replay that could not be written ends with 4, as a match does, and the grade stands", async () => {
  writeFileSync(join(folder, "a-file"), "");
  const ran = await run("grade", "small", "first.py", "--replays", join("a-file", "kept"));
  expect(ran.status).toBe(4);
  expect(ran.stdout).toMatch(/could not write a-file\/kept\/first\.jsonl: .*\n[\s\S]*25 of 100 points\n$/);
}, 60_000);

test("starters of the other kinds are written with their folders, and can be graded by", async () => {
  expect((await run("init", "task", "--kind", "supervised", "fruit")).stdout).toContain(
    "fruit: cheat.py, hidden/inputs.csv, hidden/labels.csv, public/train.csv, reference.py, task.yaml\n",
  );
  const fruit = await run("grade", "fruit", "fruit/reference.py");
  expect(fruit.stdout).toMatch(/predictions · 1 case[\s\S]*100 of 100 points\n$/);
  await run("init", "task", "--kind", "judge", "guessing");
  const guessing = await run("grade", "guessing", "guessing/reference.py", "--as-student");
  expect(guessing.stdout).toMatch(
    /questions by a judge · 2 cases[\s\S]*A number below 100: Found\.\n[\s\S]*100 of 100 points\n$/,
  );
}, 120_000);

test("a student is shown nothing of what a hidden case was", async () => {
  const ran = await run("grade", "small", "fails.py", "--as-student", "--json");
  expect(ran.status).toBe(3);
  const { cases, outcome, points } = JSON.parse(ran.stdout);
  expect({ outcome, points }).toEqual({ outcome: { kind: "agent_fault", cases: ["first", "hidden-2"] }, points: 0 });
  expect(cases[0]).toMatchObject({ id: "first", verdict: "RE", detail: expect.stringContaining("no idea") });
  expect(Object.keys(cases[1])).toEqual(["id", "title", "hidden", "weight", "outcome", "value", "verdict", "fault"]);
}, 60_000);

test("an agent's fault is said, and ends with 3", async () => {
  const ran = await run("grade", "small", "fails.py", "--case", "first");
  expect(ran.status).toBe(3);
  expect(ran.stdout).toMatch(
    /first {2,}RE[\s\S]*first: crash: it ended or raised an error\.\n[\s\S]*no idea[\s\S]*\n0 of 100 points\n$/,
  );
}, 60_000);

test("a check that finds something ends with 1, and says where", async () => {
  const ran = await run("task", "check", "small");
  expect(ran.status).toBe(1);
  expect(ran.stdout).toContain("✗ cheat, which must score nothing\n    the task names no cheat: an agent that must");
  expect(ran.stdout).toContain("The task is not ready: 2 findings.");
}, 60_000);

test.each([
  [["grade", "nowhere", "first.py"], /there is no task at "nowhere"/],
  [["grade", "first.py", "first.py"], /"first\.py" is not a task: give a folder or a \.zip/],
  [["grade", "small", "nobody.py"], /there is no agent at "nobody\.py"/],
  [["grade", "small", "first.py", "--case", "second"], /the task has no case "second"; it has first, unseen/],
])("%j ends with 2", async (words, message) => {
  const ran = await run(...words);
  expect(ran).toMatchObject({ status: 2, stdout: "" });
  expect(ran.stderr).toMatch(message);
});

test("the help names every key's page", async () => {
  expect((await run("grade", "--help")).stdout).toMatch(/Ends with 0 if every case was played to its end/);
  expect(readFileSync(join(folder, "mine", "task.yaml"), "utf8")).toMatch(/^# mine: a task that agents are graded by/);
});

const AIVLE = join(import.meta.dirname, "../../examples/aivle");

test("a pair of aiVLE's bundles is known by what it holds, and graded as it is", async () => {
  const shown = await run("grade", join(AIVLE, "grader"), join(AIVLE, "agent"));
  expect(shown.stdout.replace(/ · [\d.]+ s\n/, " · TIME\n")).toBe(`grader: agent

aiVLE bundles · agent in a sandbox of its own · 46 calls · TIME

case  measured  value  error
0     mazes         1

Score 1
`);
  expect(shown.status).toBe(0);
  writeFileSync(join(folder, "agent.py"), "print('forged')\n");
  const failed = await run("grade", join(AIVLE, "grader"), "agent.py", "--json", "--time-limit", "20");
  const { site, grade } = JSON.parse(failed.stdout);
  expect(site).toMatchObject({ ok: false, result: null, error: "RE" });
  expect(site.raw_log).not.toContain("forged");
  expect(grade).toMatchObject({ split: true, value: null, outcome: { kind: "agent_fault", where: "agent" } });
  expect(failed.status).toBe(3);
});

test("options of the one kind of task are refused for the other", async () => {
  const foreign = await run("grade", join(AIVLE, "grader"), join(AIVLE, "agent"), "--as-student");
  expect(foreign).toMatchObject({ status: 2, stdout: "" });
  expect(foreign.stderr).toContain("--as-student is for tasks with a task.yaml");
  expect((await run("grade", "small", "first.py", "--ram-limit", "5")).status).toBe(2);
});
