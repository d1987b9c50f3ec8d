/**
 * Whether a task would do, before anybody is graded by it. Its reference must score full marks and its cheat nothing, in each case;
 * nothing hidden may lie where it can be read; no cheat of ours may score; and a judge must say the same of the same agent again.
 * A task that cannot tell these apart tells no student the truth.
 */
import type { PreparedAgent } from "../agents/types.ts";
import { randomSeed } from "../seeds.ts";
import { cheatsFor, prepareCheat, type StandardCheat } from "./check/cheats.ts";
import { findLeaks } from "./check/leaks.ts";
import { type GradeRequest, gradeAgent } from "./grade.ts";
import type { CaseGrade, Grade } from "./grade-types.ts";
import type { PreparedTask } from "./task.ts";

export interface TaskFinding {
  /** `leak`: hidden material that can be read. `judge`: one that can be forged, fails on an agent, or changes its mind. */
  readonly who: "task" | "reference" | "cheat" | "leak" | "judge";
  /** The case's id; null where it is about all. */
  readonly case: string | null;
  readonly message: string;
}

export interface TaskReport {
  /** No findings, and nothing of ours or of the host's in the way. */
  readonly ok: boolean;
  readonly findings: readonly TaskFinding[];
  readonly reference: Grade | null;
  readonly cheat: Grade | null;
  /** The ways of cheating of ours that were tried. */
  readonly tried: readonly string[];
}

export type CheckRequest = Omit<GradeRequest, "agent" | "only" | "onProgress"> & {
  /** The cheats of ours to try, by their ways; default all. */
  readonly ways?: readonly string[];
  /** What is being looked at. */
  readonly onProgress?: (what: string) => void;
};

/** Cases that a cheat of ours is tried on: a task of hundreds would take hours, and a judge is the same in each. */
const MOST_CASES = 4;
/** Seeds below can all be tried by an agent, which is told its seat's own: an HMAC of the case's (seeds.ts). */
const GUESSABLE = 2 ** 40;
/** A cheat that never answers is not waited for longer. */
const MOST_SECONDS = 30;

/** Throws as gradeAgent does. The cheats of ours need Python in `boxes`, where the task is not a match alone. */
export async function checkTask(request: CheckRequest): Promise<TaskReport> {
  const { task, ways, onProgress } = request;
  const findings: TaskFinding[] = [];
  const leaks = await findLeaks(task);
  for (const { path, message } of leaks) findings.push({ who: "leak", case: null, message: `${path}: ${message}` });
  findings.push(...guessable(task));
  const own = { reference: await referenceGrade(request, findings), cheat: await cheatGrade(request, findings) };
  const tried: string[] = [];
  for (const cheat of cheatsFor(task)) {
    if (request.signal?.aborted) break;
    if (ways !== undefined && !ways.includes(cheat.way)) continue;
    if (cheat.way === "hang" && task.manifest.limits.moveSeconds + task.manifest.limits.bankSeconds > MOST_SECONDS)
      continue;
    onProgress?.(`an agent that ${cheat.does}`);
    findings.push(...(await tryCheat(request, cheat)));
    tried.push(cheat.way);
  }
  return { ok: findings.length === 0, findings, ...own, tried };
}

/** Of questions and predictions an agent is told no seed that comes from the case's. */
function guessable({ manifest }: PreparedTask): TaskFinding[] {
  const message = `a hidden case's seed below 2^40 can be guessed by whoever is graded, and with it all chance to come: take one such as ${randomSeed()}`;
  const open = manifest.cases.filter((one) => one.kind === "environment" && one.hidden && one.seed < GUESSABLE);
  return open.map(({ id }) => ({ who: "leak", case: id, message }));
}

function grade(request: CheckRequest, who: string, agent: PreparedAgent, only?: readonly string[]): Promise<Grade> {
  const { onProgress, replays, ...rest } = request;
  return gradeAgent({
    ...rest,
    agent,
    ...(replays === undefined ? {} : { replays: `${replays}/${who}` }),
    ...(only === undefined ? {} : { only }),
    onProgress: ({ done, total }) => onProgress?.(`${who}: ${done} of ${total} cases`),
  });
}

async function referenceGrade(request: CheckRequest, findings: TaskFinding[]): Promise<Grade | null> {
  const { task } = request;
  const { reference } = task;
  if (reference === undefined) {
    findings.push({ who: "task", case: null, message: "names no reference: an agent that must score full marks" });
    return null;
  }
  const first = await grade(request, "reference", reference);
  for (const one of first.cases) {
    const message = wrongOfReference(one);
    if (message !== undefined) findings.push({ who: "reference", case: one.id, message });
  }
  if (task.judge === undefined || request.signal?.aborted) return first;
  const again = await grade(request, "reference-again", reference);
  for (const [at, one] of first.cases.entries()) {
    const other = again.cases[at]!;
    if (one.outcome !== "completed" || other.outcome !== "completed" || one.measured === other.measured) continue;
    const message = `changes its mind: of the same reference by the same seed it said ${one.measured}, then ${other.measured} (if the reference draws from its seed alone)`;
    findings.push({ who: "judge", case: one.id, message });
  }
  return first;
}

async function cheatGrade(request: CheckRequest, findings: TaskFinding[]): Promise<Grade | null> {
  const { cheat } = request.task;
  if (cheat === undefined) {
    findings.push({ who: "task", case: null, message: "names no cheat: an agent that must score nothing" });
    return null;
  }
  const result = await grade(request, "cheat", cheat);
  for (const one of result.cases) {
    const message = wrongOfCheat(one);
    if (message !== undefined) findings.push({ who: "cheat", case: one.id, message });
  }
  return result;
}

async function tryCheat(request: CheckRequest, cheat: StandardCheat): Promise<TaskFinding[]> {
  const { task, boxes } = request;
  const agent = await prepareCheat(boxes.guestDir, cheat, `${task.dir}/cheats`);
  const { cases } = await grade(request, `cheat-${cheat.way}`, agent, casesFor(task, cheat));
  return cases.flatMap((one): TaskFinding[] => {
    if (one.outcome === "infra_fault") {
      const message = `fails on an agent that ${cheat.does}, and a student could hide a loss behind that: ${one.detail}`;
      return [{ who: "judge", case: one.id, message }];
    }
    if (one.value === null || one.value === 0) return [];
    const what = task.judge === undefined ? "pays for nothing" : "can be forged";
    const message = `${what}: an agent that ${cheat.does} scored ${one.value} (measured ${one.measured})`;
    return [{ who: task.judge === undefined ? "task" : "judge", case: one.id, message }];
  });
}

function casesFor({ cases }: PreparedTask, { way, once }: StandardCheat): readonly string[] {
  const ids = cases.map(({ id }) => id);
  if (way === "read") return ids;
  const count = Math.min(once ? 1 : MOST_CASES, ids.length);
  return Array.from({ length: count }, (_, at) => ids[Math.floor((at * ids.length) / count)]!);
}

function wrongOfReference({ outcome, value, measured, detail }: CaseGrade): string | undefined {
  if (outcome !== "completed") return `ended as ${outcome}: ${detail ?? "no detail"}`;
  return value === 1 ? undefined : `scored ${value} of 1 (measured ${measured})`;
}

function wrongOfCheat({ outcome, value, measured, detail }: CaseGrade): string | undefined {
  if (outcome === "infra_fault" || outcome === "cancelled") return `ended as ${outcome}: ${detail ?? "no detail"}`;
  return value === 0 ? undefined : `scored ${value} where it must score nothing (measured ${measured})`;
}
