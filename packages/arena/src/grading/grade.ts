/**
 * Theory of operation. Whoever is graded is in a box of his own in each case, and nothing he leaves in one is there in the next. The
 * three kinds of case are told apart in grade-case.ts: a match by an environment's rules, a judge's questions, predictions on
 * inputs. Rules and metrics run here, on the host; a judge in another box. In the agent's box lie the agent's files, and of the
 * task's those alone that it names as such.
 *
 * How it fails: the agent's fault makes its case worth nothing, and the others count. A fault of ours in any case, after its
 * repeats, leaves the grade without points. So does a fault of the task's own opponent or judge: it is the author's to mend,
 * and neither the student's loss nor his gain.
 */
import { Environment } from "@lanista/games/environment";
import type { PreparedAgent } from "../agents/types.ts";
import type { PackagesProvider } from "../packages-provider.ts";
import type { MatchStamp } from "../result.ts";
import { ENGINE_VERSION } from "../version.ts";
import { CaseFiles, share } from "./case-files.ts";
import type { CaseRequest, GradingBoxes, GradingEnvironments } from "./case-request.ts";
import { gradeCase } from "./grade-case.ts";
import type { CaseGrade, Grade } from "./grade-types.ts";
import { type TaskPackages, withPackages } from "./packages.ts";
import type { PreparedCase, PreparedTask } from "./task.ts";

export interface GradeRequest {
  readonly task: PreparedTask;
  readonly agent: PreparedAgent;
  readonly boxes: GradingBoxes;
  /** For tasks with a bundled environment. */
  readonly environments?: GradingEnvironments;
  /** For tasks with requirements. */
  readonly packages?: PackagesProvider;
  /** The ids of the cases to run; default all. The points are then out of theirs alone. */
  readonly only?: readonly string[];
  /** Cases at a time; default 1. */
  readonly concurrency?: number;
  /** A folder for each case's replay and its agent's log. */
  readonly replays?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: GradeProgress) => void;
}

export interface GradeProgress {
  readonly done: number;
  readonly total: number;
  readonly last: CaseGrade;
}

/**
 * Throws a RangeError on an id that is no case's, TaskError on requirements that cannot be met, and SandboxError `refused` on what
 * this host cannot enforce.
 */
export async function gradeAgent(request: GradeRequest): Promise<Grade> {
  const { task, only } = request;
  for (const id of only ?? [])
    if (!task.cases.some((one) => one.id === id))
      throw new RangeError(`the task has no case "${id}"; it has ${task.cases.map((one) => one.id).join(", ")}`);
  return await withPackages(task, request.packages, request.signal, (packages) => gradeWith(request, packages));
}

async function gradeWith(request: GradeRequest, packages: TaskPackages): Promise<Grade> {
  const began = performance.now();
  const { task, agent, only, concurrency = 1, onProgress } = request;
  const cases = task.cases.filter((one) => only === undefined || only.includes(one.id));
  const stop = new AbortController();
  const signal = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
  const files = new CaseFiles(request.replays);
  const texts = share(cases.length);
  const { boxes, environments } = request;
  const shared: CaseRequest = { task, agent, boxes, environments, packages, files, texts, signal };
  const grades = new Map<PreparedCase, CaseGrade>();
  let sandbox: MatchStamp | null = null;
  const waiting = [...cases];
  const lane = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const { grade, stamp } = await gradeCase(shared, one);
      sandbox ??= stamp;
      grades.set(one, grade);
      onProgress?.({ done: grades.size, total: cases.length, last: grade });
    }
  };
  const lanes = Array.from({ length: Math.max(1, Math.min(concurrency, cases.length)) }, () =>
    lane().catch((error: unknown) => {
      stop.abort();
      throw error;
    }),
  );
  for (const end of await Promise.allSettled(lanes)) if (end.status === "rejected") throw end.reason;
  const done = cases.map((one) => grades.get(one)!);
  const first = cases[0]!;
  const { manifest, judge } = task;
  return {
    outcome: outcomeOf(done),
    points: pointsOf(done, manifest.points),
    outOf: manifest.points,
    cases: done,
    task: { title: manifest.title, digest: task.digest },
    kind: manifest.kind,
    agent: { name: agent.name, digest: agent.digest },
    judge: judge === undefined ? null : { name: judge.name, digest: judge.digest },
    files: task.files?.digest ?? null,
    packages: { agent: packages.agent?.key ?? null, judge: packages.judge?.key ?? null },
    ...environmentOf(first, task),
    sandbox,
    unwritten: files.unwritten,
    wallSeconds: (performance.now() - began) / 1000,
    engine: ENGINE_VERSION,
  };
}

function environmentOf(
  one: PreparedCase,
  { environment }: PreparedTask,
): Pick<Grade, "env" | "envVersion" | "envBundle"> {
  if (environment !== undefined) {
    const { id, version } = environment.manifest;
    return { env: id, envVersion: version, envBundle: environment.digest };
  }
  if (one.kind !== "environment" || !(one.env instanceof Environment))
    return { env: null, envVersion: null, envBundle: null };
  const { id, version } = one.env.definition;
  return { env: id, envVersion: version, envBundle: null };
}

function pointsOf(cases: readonly CaseGrade[], most: number): number | null {
  let [sum, weights] = [0, 0];
  for (const { value, weight } of cases) {
    if (value === null) return null;
    sum += weight * value;
    weights += weight;
  }
  return (most * sum) / weights;
}

function outcomeOf(cases: readonly CaseGrade[]): Grade["outcome"] {
  for (const kind of ["cancelled", "infra_fault", "agent_fault"] as const) {
    const such = cases.filter((one) => one.outcome === kind);
    if (such.length > 0) return { kind, cases: such.map(({ id }) => id), detail: such[0]!.detail };
  }
  return { kind: "completed", cases: [], detail: null };
}
