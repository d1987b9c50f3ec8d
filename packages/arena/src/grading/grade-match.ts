/** A case with an environment: a match against the task's own opponents, measured by its rules or by the task's judge. */
import { Environment } from "@lanista/games/environment";
import { OptionError } from "@lanista/games/options";
import { EnvironmentBundleError } from "../bundled/bundle-error.ts";
import type { BundledSource } from "../bundled/environment-boxes.ts";
import type { BundledEnvironment } from "../bundled/take.ts";
import { overPart } from "../dawdling.ts";
import { type Playable, sourceOf } from "../episodes/built-in.ts";
import { EnvironmentFault } from "../episodes/episodes.ts";
import { playMatch } from "../match.ts";
import type { MatchResult } from "../result.ts";
import { cleanDetail } from "../seat-fault.ts";
import { AUTHORS, type CaseEnd } from "./case-end.ts";
import { excerpt } from "./case-files.ts";
import { agentExtras, type CaseRequest, judgeExtras, type RanCase } from "./case-request.ts";
import { JUDGEMENTS } from "./conversation/dialects.ts";
import { judgeRecord } from "./conversation/questions.ts";
import { holdSitting } from "./conversation/sitting.ts";
import type { TaskLimits } from "./manifest.ts";
import { MAX_RECORD, recordOf } from "./match-record.ts";
import { measure } from "./scoring.ts";
import type { PreparedEnvironmentCase } from "./task.ts";
import { TaskError } from "./task-error.ts";

export async function gradeMatch(request: CaseRequest, one: PreparedEnvironmentCase): Promise<RanCase> {
  if (one.env instanceof Environment) return await gradeIn(request, one, one.env);
  let source: BundledSource;
  try {
    source = await openSource(request, one, one.env);
  } catch (error) {
    const end = endByEnvironment(error, request.signal);
    if (end === undefined) throw error;
    return neverPlayed(one, end);
  }
  try {
    return await gradeIn(request, one, source);
  } finally {
    await source.close();
  }
}

async function openSource(
  { environments, signal }: CaseRequest,
  one: PreparedEnvironmentCase,
  bundle: BundledEnvironment,
): Promise<BundledSource> {
  if (environments === undefined)
    throw new TaskError("the task's environment is a bundled one, and such cannot be had here");
  const source = await environments.source(bundle, one.options, signal);
  const seats = source.views.length;
  if (one.seat < seats && one.opponents.length === seats - 1) return source;
  await source.close();
  throw new EnvironmentBundleError(
    `the case ${one.id} is for seat ${one.seat} and names ${one.opponents.length} opponents, and ${source.id} has ${seats} seats`,
  );
}

/** What the environment's author, or its box, did wrong before anybody played, or after. undefined: neither. */
function endByEnvironment(error: unknown, signal: AbortSignal): CaseEnd | undefined {
  if (signal.aborted) return { kind: "cancelled", detail: null };
  const ours = error instanceof EnvironmentFault && error.ours;
  const theirs =
    error instanceof EnvironmentFault || error instanceof EnvironmentBundleError || error instanceof OptionError;
  if (!theirs) return undefined;
  const detail = ours ? error.message : `${AUTHORS} environment was at fault: ${error.message}`;
  return { kind: "infra_fault", detail: cleanDetail(detail), again: ours };
}

function neverPlayed(one: PreparedEnvironmentCase, end: CaseEnd): RanCase {
  return {
    end,
    stamp: null,
    seat: one.seat,
    episodes: 0,
    steps: 0,
    opponents: one.opponentAgents.map(({ name, digest }) => ({ name, digest })),
    data: null,
    cpuSeconds: 0,
    peakMemoryBytes: 0,
    replay: { file: null, hash: "" },
    log: null,
    logText: null,
  };
}

async function gradeIn(request: CaseRequest, one: PreparedEnvironmentCase, env: Playable): Promise<RanCase> {
  const { task, agent, boxes, files, signal } = request;
  const { limits } = task.manifest;
  const { moveSeconds, bankSeconds, startSeconds, caseSeconds } = limits;
  const contender = (each: typeof agent) => boxes.contender(each, undefined, agentExtras(request));
  const seated = one.opponentAgents.map(contender);
  seated.splice(one.seat, 0, contender(agent));
  const returns: (readonly number[])[] = [];
  let log: Buffer[] = [];
  const replay = files.path(`${one.id}.jsonl`);
  const { result, replayText } = await playMatch({
    env,
    contenders: seated,
    seed: one.seed,
    episodes: one.episodes,
    moveSeconds,
    bankSeconds,
    startSeconds,
    matchSeconds: caseSeconds,
    onTooLong: "end",
    ...(replay === undefined ? {} : { replay }),
    signal,
    onLog: (seat, chunk) => {
      if (seat === one.seat) log.push(chunk);
    },
    onProgress: (event) => {
      if (event.kind === "started") {
        returns.length = 0;
        log = [];
      }
      if (event.kind === "episode") returns.push(event.returns);
    },
  });
  files.unwritten.push(...result.unwritten);
  const own = result.seats[one.seat]!;
  return {
    end: await endOf(request, one, result, returns, () => recordOf(replayText, one.seat, sourceOf(env), signal)),
    stamp: result.sandbox,
    seat: one.seat,
    episodes: result.episodes,
    steps: result.steps,
    opponents: one.opponentAgents.map(({ name, digest }) => ({ name, digest })),
    data: null,
    cpuSeconds: own.cpuSeconds,
    peakMemoryBytes: own.peakMemoryBytes,
    replay: result.replay,
    log: own.log,
    logText: excerpt(Buffer.concat(log), request.texts / 2),
  };
}

async function endOf(
  request: CaseRequest,
  one: PreparedEnvironmentCase,
  result: MatchResult,
  returns: readonly (readonly number[])[],
  recorded: () => Promise<string | undefined>,
): Promise<CaseEnd> {
  const end = endOfMatch(result, one.seat, request.task.manifest.limits);
  if (end !== "completed") return end;
  const { by } = one.scoring;
  if (by === "judge") return await judged(request, one, recorded);
  // The manifest lets no metric of predictions come here.
  const measured = measure(by as "reward", one.seat, { returns, steps: result.steps });
  return { kind: "completed", measured, detail: null, message: null };
}

async function judged(
  request: CaseRequest,
  one: PreparedEnvironmentCase,
  recorded: () => Promise<string | undefined>,
): Promise<CaseEnd> {
  const { task, boxes, files, signal } = request;
  const { startSeconds, judgeSeconds } = task.manifest.limits;
  let record: string | undefined;
  try {
    record = await recorded();
  } catch (error) {
    const end = endByEnvironment(error, signal);
    if (end === undefined) throw error;
    return end;
  }
  if (record === undefined) {
    const detail = `the record of the case is over ${MAX_RECORD} bytes, too long for a judge: give it fewer episodes`;
    return { kind: "infra_fault", detail, again: false };
  }
  const { end, log } = await holdSitting({
    agent: {
      contender: boxes.judge(task.judge!, judgeExtras(request)),
      dialect: JUDGEMENTS,
      time: { startSeconds, moveSeconds: judgeSeconds, bankSeconds: 0 },
    },
    caseSeconds: startSeconds + judgeSeconds,
    signal,
    drive: (table) => judgeRecord(table, { id: one.id, seed: one.seed, data: null }, record),
  });
  await files.write(`${one.id}.judge.log`, log);
  // Alone at the table, and not the one who is graded.
  if (end.kind !== "agent_fault") return end;
  return {
    kind: "infra_fault",
    detail: `${AUTHORS} judge was at fault: ${end.fault}, ${end.detail}`,
    again: false,
  };
}

/** The match's outcome as the case's: of the agent's own seat, and of the time that a case may take. */
function endOfMatch(
  { outcome, timedOut, seats }: MatchResult,
  seat: number,
  limits: TaskLimits,
): Exclude<CaseEnd, { kind: "completed" }> | "completed" {
  if (timedOut && outcome.kind === "cancelled") {
    const time = { matchSeconds: limits.caseSeconds, actSeconds: limits.moveSeconds };
    const detail = `the case was not over in its time: ${outcome.detail ?? ""}`;
    // Nobody saves himself by being slow; and nobody falls over the time that others took.
    const thoughtMs = seats.map(({ thoughtSeconds }) => thoughtSeconds * 1000);
    return overPart(thoughtMs, time).includes(seat)
      ? { kind: "agent_fault", fault: "timeout", detail }
      : { kind: "infra_fault", detail: `${detail}, of which the agent took no more than its part`, again: false };
  }
  switch (outcome.kind) {
    case "completed":
      return "completed";
    case "cancelled":
      return { kind: "cancelled", detail: outcome.detail ?? null };
    case "infra_fault":
      return { kind: "infra_fault", detail: outcome.detail, again: false };
    case "agent_fault": {
      if (outcome.seats.includes(seat)) {
        const [fault = outcome.fault] = Object.keys(seats[seat]!.faultKinds) as (typeof outcome.fault)[];
        return { kind: "agent_fault", fault, detail: seats[seat]!.firstFault ?? outcome.detail };
      }
      const name = seats[outcome.seats[0]!]!.agent;
      const detail = `${AUTHORS} opponent ${name} was at fault: ${outcome.fault}, ${outcome.detail}`;
      return { kind: "infra_fault", detail, again: false };
    }
  }
}
