import { expect, test } from "vitest";
import { countedOf } from "./counted.ts";
import { deductionPercent, lateSeconds, ownClosing, ownDeadline } from "./lateness.ts";
import { resultsCsv } from "./results-csv.ts";
import type { StoredSettings } from "./settings.ts";
import type { TaskRow } from "./tasks.ts";

const SETTINGS: StoredSettings = {
  latePolicy: "per-hour",
  latePercent: 10,
  lateCapPercent: 35,
  graceMinutes: 5,
  dailyLimit: 0,
  maxBytes: 0,
  caseSeconds: 0,
  memoryBytes: 0,
  gpus: 0,
  vramBytes: 0,
  split: "prefer",
  queue: "default",
  tier: "container",
  counts: "best",
  points: 0,
};
const at = (text: string): Date => new Date(`2026-05-01T${text}Z`);

test("late is from the deadline on, once the grace is over", () => {
  const late = (arrived: string, grace = 5) => lateSeconds(at(arrived), at("12:00:00"), grace);
  expect([late("11:00:00"), late("12:00:00"), late("12:05:00")]).toEqual([0, 0, 0]);
  expect([late("12:05:00.001"), late("13:00:00"), late("12:00:00.200", 0)]).toEqual([301, 3600, 1]);
  expect(lateSeconds(at("12:00:00"), null, 0)).toBe(0);
});

test("an extension moves the deadline and the closing of one student, and never to an earlier time", () => {
  const times = { opens_at: null, deadline: at("12:00:00"), closes_at: at("14:00:00") };
  expect(ownDeadline(times, at("13:00:00"))).toEqual(at("13:00:00"));
  expect(ownDeadline(times, at("11:00:00"))).toEqual(at("12:00:00"));
  expect(ownClosing(times, at("13:00:00"))).toEqual(at("14:00:00"));
  expect(ownClosing(times, at("15:00:00"))).toEqual(at("15:00:00"));
  expect(ownDeadline({ ...times, deadline: null }, at("13:00:00"))).toBeNull();
});

test.each([
  ["per-hour", 0, 0],
  ["per-hour", 1, 10],
  ["per-hour", 3600, 10],
  ["per-hour", 3601, 20],
  ["per-hour", 86_400, 35],
  ["per-day", 86_400, 10],
  ["per-day", 86_401, 20],
  ["none", 86_401, 0],
  ["refuse", 1, 0],
] as const)("%s, %d seconds late: %d percent", (latePolicy, late, percent) => {
  expect(deductionPercent({ ...SETTINGS, latePolicy }, late)).toBe(percent);
});

const graded = [
  { id: "a", number: 1, arrived: 1, late_seconds: 0, points: 8, out_of: 10 },
  { id: "c", number: 3, arrived: 3, late_seconds: 10, points: 2, out_of: 10 },
  { id: "b", number: 2, arrived: 2, late_seconds: 3601, points: 5, out_of: 5 },
];
test("the best counts after what is taken off, or the last; grades are scaled to the task's points", () => {
  const best = { submissionId: "a", earned: 16, points: 16, deductionPercent: 0, lateSeconds: 0 };
  expect(countedOf(SETTINGS, 20, graded)).toEqual(best);
  // In time it would have been the best.
  expect(countedOf({ ...SETTINGS, latePolicy: "none" }, 20, graded)).toMatchObject({ submissionId: "b", points: 20 });
  const last = countedOf({ ...SETTINGS, counts: "last" }, 20, graded);
  expect(last).toMatchObject({ submissionId: "c", earned: 4, points: 3.6, deductionPercent: 10 });
  // What was brought over came before, whatever its number.
  const brought = { ...graded[1]!, id: "d", number: 4, arrived: 0 };
  expect(countedOf({ ...SETTINGS, counts: "last" }, 20, [...graded, brought])).toMatchObject({ submissionId: "c" });
  expect(countedOf(SETTINGS, 20, [])).toBeNull();
});

test("no cell of the CSV is a formula, and none writes a line of its own", () => {
  const task = { id: "t", slug: "maze" } as TaskRow;
  const counted = countedOf(SETTINGS, 20, graded);
  const outcome = { task, outOf: 20, points: 16, counted, submissions: 3, open: 0, mark: null, extendedUntil: null };
  const names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '"=1', "a,b\nc", "Zoë"];
  const students = names.map((name) => ({
    userId: "u",
    key: "u",
    name,
    email: "u@x.edu",
    group: "=T",
    tasks: [outcome],
    total: 16,
  }));
  const lines = resultsCsv([task], students, true).trimEnd();
  expect(lines.split("\n").slice(0, 6)).toEqual([
    "name,email,group,maze,maze earned,maze deduction %,maze late s,maze by hand,total",
    "'=1+1,u@x.edu,'=T,16,16,0,0,,16",
    "'+1,u@x.edu,'=T,16,16,0,0,,16",
    "'-1,u@x.edu,'=T,16,16,0,0,,16",
    "'@SUM(A1),u@x.edu,'=T,16,16,0,0,,16",
    "'\t=1,u@x.edu,'=T,16,16,0,0,,16",
  ]);
  expect(lines).toContain('"a,b\nc",u@x.edu');
});
