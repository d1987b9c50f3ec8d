/**
 * Whether a task would do, before anybody is graded by it: its reference must score full marks and its cheat nothing, in each case.
 * A task that cannot tell these two apart tells no student the truth.
 */

import { type GradeRequest, gradeAgent } from "./grade.ts";
import type { CaseGrade, Grade } from "./grade-types.ts";

export interface TaskFinding {
  readonly who: "task" | "reference" | "cheat";
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
}

/** Throws as gradeAgent does. */
export async function checkTask(request: Omit<GradeRequest, "agent" | "only">): Promise<TaskReport> {
  const { reference, cheat } = request.task;
  const findings: TaskFinding[] = [];
  const grades: { reference: Grade | null; cheat: Grade | null } = { reference: null, cheat: null };
  for (const [who, agent] of [
    ["reference", reference],
    ["cheat", cheat],
  ] as const) {
    if (agent === undefined) {
      const must = who === "reference" ? "must score full marks" : "must score nothing";
      findings.push({ who: "task", case: null, message: `names no ${who}: an agent that ${must}` });
      continue;
    }
    const replays = request.replays === undefined ? {} : { replays: `${request.replays}/${who}` };
    const grade = await gradeAgent({ ...request, ...replays, agent });
    grades[who] = grade;
    for (const one of grade.cases) {
      const message = who === "reference" ? wrongOfReference(one) : wrongOfCheat(one);
      if (message !== undefined) findings.push({ who, case: one.id, message });
    }
  }
  return { ok: findings.length === 0, findings, ...grades };
}

function wrongOfReference({ outcome, value, measured, detail }: CaseGrade): string | undefined {
  if (outcome !== "completed") return `ended as ${outcome}: ${detail ?? "no detail"}`;
  return value === 1 ? undefined : `scored ${value} of 1 (measured ${measured})`;
}

function wrongOfCheat({ outcome, value, measured, detail }: CaseGrade): string | undefined {
  if (outcome === "infra_fault" || outcome === "cancelled") return `ended as ${outcome}: ${detail ?? "no detail"}`;
  return value === 0 ? undefined : `scored ${value} where it must score nothing (measured ${measured})`;
}
