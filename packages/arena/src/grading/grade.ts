/**
 * Theory of operation. A task's cases are matches of the agent against the task's own opponents, each in boxes of its own, so
 * nothing that the agent leaves in one is there in the next. The rules run here, on the host; in the agent's box lie the agent's
 * files and nothing of the task's, so a hidden case is known to it only as the game it is asked to play.
 *
 * How it fails: the agent's fault makes its case worth nothing, and the others count. A fault of ours in any case, after the
 * match's own repeats, leaves the grade without points. So does a fault of an opponent of the task's: it is the author's to mend,
 * and neither the student's loss nor his gain.
 */
import { join } from "node:path";
import type { PreparedAgent } from "../agents/types.ts";
import type { Contender } from "../contender.ts";
import { overPart } from "../dawdling.ts";
import { playMatch } from "../match.ts";
import type { MatchResult, MatchStamp, Outcome } from "../result.ts";
import { ENGINE_VERSION } from "../version.ts";
import { type CaseGrade, type Grade, VERDICTS } from "./grade-types.ts";
import type { TaskLimits } from "./manifest.ts";
import { measure, worth } from "./scoring.ts";
import type { PreparedCase, PreparedTask } from "./task.ts";

export interface GradeRequest {
  readonly task: PreparedTask;
  readonly agent: PreparedAgent;
  /** Seats an agent, with the task's limits. */
  readonly contender: (agent: PreparedAgent) => Contender;
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

/** Throws a RangeError on an id that is no case's, and SandboxError `refused` on what this host cannot enforce. */
export async function gradeAgent(request: GradeRequest): Promise<Grade> {
  const began = performance.now();
  const { task, agent, only, concurrency = 1, onProgress } = request;
  for (const id of only ?? [])
    if (!task.cases.some((one) => one.id === id))
      throw new RangeError(`the task has no case "${id}"; it has ${task.cases.map((one) => one.id).join(", ")}`);
  const cases = task.cases.filter((one) => only === undefined || only.includes(one.id));
  const stop = new AbortController();
  const signal = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
  const grades = new Map<PreparedCase, CaseGrade>();
  let sandbox: MatchStamp | null = null;
  const waiting = [...cases];
  const lane = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const { grade, stamp } = await gradeCase({ ...request, signal }, one);
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
  const { env } = cases[0]!;
  return {
    outcome: outcomeOf(done),
    points: pointsOf(done, task.manifest.points),
    outOf: task.manifest.points,
    cases: done,
    task: { title: task.manifest.title, digest: task.digest },
    agent: { name: agent.name, digest: agent.digest },
    env: env.definition.id,
    envVersion: env.definition.version,
    sandbox,
    wallSeconds: (performance.now() - began) / 1000,
    engine: ENGINE_VERSION,
  };
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

async function gradeCase(
  { task, agent, contender, replays, signal }: GradeRequest,
  one: PreparedCase,
): Promise<{ readonly grade: CaseGrade; readonly stamp: MatchStamp | null }> {
  const { moveSeconds, bankSeconds, startSeconds, caseSeconds } = task.manifest.limits;
  const seated = one.opponentAgents.map(contender);
  seated.splice(one.seat, 0, contender(agent));
  const returns: (readonly number[])[] = [];
  const { result } = await playMatch({
    env: one.env,
    contenders: seated,
    seed: one.seed,
    episodes: one.episodes,
    moveSeconds,
    bankSeconds,
    startSeconds,
    matchSeconds: caseSeconds,
    onTooLong: "end",
    ...(replays === undefined ? {} : { replay: join(replays, `${one.id}.jsonl`) }),
    ...(signal === undefined ? {} : { signal }),
    onProgress: (event) => {
      if (event.kind === "started") returns.length = 0;
      if (event.kind === "episode") returns.push(event.returns);
    },
  });
  const end = endOf(result, one.seat, task.manifest.limits);
  const measured = end.kind === "completed" ? measure(one.scoring, one.seat, { returns, steps: result.steps }) : null;
  const { id, title, hidden, weight, seed, seat } = one;
  const own = result.seats[seat]!;
  const fault = end.kind === "agent_fault" ? end.fault : null;
  const grade: CaseGrade = {
    id,
    title,
    hidden,
    weight,
    outcome: end.kind,
    value: measured !== null ? worth(one.scoring, measured) : fault !== null ? 0 : null,
    verdict: fault !== null ? VERDICTS[fault] : measured !== null ? "OK" : null,
    measured,
    fault,
    detail: "detail" in end ? (end.detail ?? null) : null,
    seed,
    seat,
    episodes: result.episodes,
    steps: result.steps,
    opponents: one.opponentAgents.map(({ name, digest }) => ({ name, digest })),
    cpuSeconds: own.cpuSeconds,
    peakMemoryBytes: own.peakMemoryBytes,
    replay: result.replay,
    log: own.log,
  };
  return { grade, stamp: result.sandbox };
}

/** The match's outcome as the case's: of the agent's own seat, and of the time that a case may take. */
function endOf({ outcome, timedOut, seats }: MatchResult, seat: number, limits: TaskLimits): Outcome {
  if (timedOut && outcome.kind === "cancelled") {
    const time = { matchSeconds: limits.caseSeconds, actSeconds: limits.moveSeconds };
    const detail = `the case was not over in its time: ${outcome.detail ?? ""}`;
    // Nobody saves himself by being slow; and nobody falls over the time that others took.
    const thoughtMs = seats.map(({ thoughtSeconds }) => thoughtSeconds * 1000);
    return overPart(thoughtMs, time).includes(seat)
      ? { kind: "agent_fault", seats: [seat], fault: "timeout", detail }
      : { kind: "infra_fault", detail: `${detail}, of which the agent took no more than its part` };
  }
  if (outcome.kind !== "agent_fault") return outcome;
  if (outcome.seats.includes(seat)) {
    const [fault = outcome.fault] = Object.keys(seats[seat]!.faultKinds) as (typeof outcome.fault)[];
    return { ...outcome, fault, detail: seats[seat]!.firstFault ?? outcome.detail };
  }
  const name = seats[outcome.seats[0]!]!.agent;
  return {
    kind: "infra_fault",
    detail: `the task's own opponent ${name} was at fault: ${outcome.fault}, ${outcome.detail}`,
  };
}
