/** The kind `task_check`: takes a task's bundle in, and proves that it tells right from wrong. What its author did wrong is in the result. */
import { BundleError } from "@lanista/arena/agents/types";
import { isAuthors } from "@lanista/arena/grading/case-end";
import { checkTask, type TaskFinding } from "@lanista/arena/grading/check-task";
import type { Grade } from "@lanista/arena/grading/grade-types";
import type { PreparedTask } from "@lanista/arena/grading/task";
import { TaskError } from "@lanista/arena/grading/task-error";
import { type TaskCheckResult, type TaskSummary, taskCheckPayload } from "../../jobs/task-payloads.ts";
import type { Taken } from "../prepared-bundles.ts";
import type { Workshop } from "../workshop.ts";
import { checkLegacy } from "./grade-legacy.ts";
import { jobGpus } from "./job-gpus.ts";
import { limitedTask } from "./limited-task.ts";
import type { Run, RunEnd } from "./runner.ts";

const MOST = 200;
const MAX_TEXT = 1000;

/** Throws what makes this worker unable to do it, and why a grading came to no end that was the author's. */
export async function runTaskCheck(run: Run, workshop: Workshop): Promise<RunEnd> {
  const payload = taskCheckPayload.parse(run.payload);
  if (payload.format === "aivle") return await checkLegacy(run, workshop, payload);
  const gpus = jobGpus(run, payload.over);
  let taken: Taken<PreparedTask>;
  try {
    taken = await workshop.task(run, payload.task);
  } catch (error) {
    if (!(error instanceof TaskError || error instanceof BundleError)) throw error;
    return refused(null, [{ who: "task", case: null, message: error.message }]);
  }
  try {
    const task = limitedTask(taken.value, payload.over);
    const { memoryBytes, cpus } = task.manifest.limits;
    const { vramBytes } = payload.over;
    const wishes = { tier: payload.tier, limits: { memoryBytes, cpus, vramBytes }, gpus };
    const { packages, environments } = workshop.gradingTools(wishes);
    const boxes = workshop.boxes(wishes);
    const report = await checkTask({ task, boxes, packages, environments, signal: run.signal }).catch(
      (error: unknown) => {
        // Requirements that cannot be met.
        if (error instanceof TaskError) return error;
        throw error;
      },
    );
    if (report instanceof TaskError)
      return refused(summaryOf(taken.value), [{ who: "task", case: null, message: report.message }]);
    for (const grade of [report.reference, report.cheat]) throwOurs(grade);
    const summary = summaryOf(taken.value);
    if (!report.ok) return refused(summary, report.findings);
    const result: TaskCheckResult = { ok: true, findings: [], summary };
    return { outcome: { kind: "completed" }, result };
  } finally {
    taken.release();
  }
}

/**
 * What the task's own programs did wrong is among the findings. Who is to mend the rest cannot be told from here: it is tried again,
 * and in the end a person looks at it.
 */
function throwOurs(grade: Grade | null): void {
  if (grade?.outcome.kind === "infra_fault" && !isAuthors(grade.outcome.detail))
    throw new Error(grade.outcome.detail ?? "a fault of ours");
}

function refused(summary: TaskSummary | null, findings: readonly TaskFinding[]): RunEnd {
  const result: TaskCheckResult = {
    ok: false,
    findings: findings
      .slice(0, MOST)
      .map(({ who, case: id, message }) => ({ who, case: id, message: message.slice(0, MAX_TEXT) })),
    summary,
  };
  return { outcome: { kind: "completed" }, result };
}

function summaryOf({ digest, manifest, cases }: PreparedTask): TaskSummary {
  const { title, environment = "", points, limits } = manifest;
  const agents = cases.map((one) => one.opponentAgents.length + 1);
  const boxes = cases.map((one, at) => agents[at]! + (one.kind === "questions" ? 1 : 0));
  const most = { boxes: Math.max(...boxes), agentBoxes: Math.max(...agents) };
  return { title, environment, points, digest, ...pick(limits), cases: cases.length, ...most };
}

const pick = ({ caseSeconds, memoryBytes, cpus }: PreparedTask["manifest"]["limits"]) => ({
  caseSeconds,
  memoryBytes,
  cpus,
});
