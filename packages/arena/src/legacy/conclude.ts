/** What a run means: aiVLE's record, and our outcome. */
import type { AgentSession } from "./agent-session.ts";
import type { ReadResult } from "./read-result.ts";
import type { PairRun } from "./run-pair.ts";
import type { LegacyFault, LegacyOutcome, LegacyVerdict, SiteRecord } from "./types.ts";

type SiteError = NonNullable<SiteRecord["error"]>;

export interface Conclusion {
  readonly site: SiteRecord;
  readonly outcome: LegacyOutcome;
}

const fault = (
  verdict: Exclude<LegacyVerdict, "OK">,
  name: LegacyFault,
  where: "agent" | "grader",
  detail: string,
): LegacyOutcome => ({ kind: "agent_fault", verdict, fault: name, where, detail });

/** `read`: of the line that counts; a text where it was refused; null where there was none. */
export function conclude(run: PairRun, read: ReadResult | string | null): Conclusion {
  const raw_log = run.log.text();
  const failed = (error: SiteError | null, outcome: LegacyOutcome, note = ""): Conclusion => ({
    site: { ok: false, raw_log: note === "" ? raw_log : `${raw_log}\nlanista: ${note}\n`, result: null, error },
    outcome,
  });
  if (run.cancelled) return failed(null, { kind: "cancelled", verdict: null, fault: null, where: null, detail: null });
  if (run.infra !== null)
    return failed(null, { kind: "infra_fault", verdict: null, fault: null, where: null, detail: run.infra });
  if (read === null || typeof read === "string") {
    const outcome = withoutResult(run, read);
    return failed(outcome.verdict as SiteError, outcome, outcome.detail ?? "");
  }
  if (read.line === null) {
    // aiVLE's worker and its site have no such class either: there it ends as a runtime error.
    const outcome = ofCases(run, read) ?? fault("RE", "no_result", "grader", "");
    const why = `the result names classes that aiVLE's site has not: ${read.unknown.join(", ")}`;
    return failed("RE", { ...outcome, detail: outcome.detail === "" ? why : `${outcome.detail} (${why})` }, why);
  }
  const outcome = read.result === null ? null : ofCases(run, read);
  return {
    site: { ok: true, raw_log, result: read.line, error: null },
    outcome:
      read.result === null
        ? fault("RE", "no_result", "grader", "the result has no results[0].result.value, which is the score")
        : (outcome ?? { kind: "completed", verdict: "OK", fault: null, where: null, detail: null }),
  };
}

/** The fault that some case's error tells of; null if no case has one. */
function ofCases(run: PairRun, read: ReadResult): LegacyOutcome | null {
  const wrong = read.result?.cases.find((one) => one.error !== null);
  if (wrong === undefined) return null;
  const text = `case ${wrong.caseId ?? "?"}: ${wrong.error}`;
  const where = run.sessions.some(({ error }) => error !== null) ? "agent" : "grader";
  if (/Timeout|timed out/i.test(wrong.error!)) return fault("TLE", "time", "agent", text);
  if (/MemoryError/.test(wrong.error!)) return fault("MLE", "memory", where, text);
  return fault("RE", "error", where, text);
}

function withoutResult(run: PairRun, refused: string | null): LegacyOutcome {
  const ended = run.sessions.find(({ end, protocolFault }) => end !== null || protocolFault !== null);
  const memory = "more memory than it may";
  if (ended?.end?.cause.kind === "memory") return fault("MLE", "memory", "agent", `the agent used ${memory}`);
  if (run.grader.cause.kind === "memory") return fault("MLE", "memory", "grader", `the grading used ${memory}`);
  const vram = "more GPU memory than it may";
  if (ended?.end?.cause.kind === "vram") return fault("VLE", "vram", "agent", `the agent used ${vram}`);
  if (run.grader.cause.kind === "vram") return fault("VLE", "vram", "grader", `the grading used ${vram}`);
  if (run.excess !== null) return fault("RE", "output", "grader", run.excess);
  if (run.timedOut) return fault("TLE", "time", slowOne(run.sessions), "the grading took longer than it may");
  if (run.log.memoryError) return fault("MLE", "memory", "grader", `the grading asked for ${memory}`);
  if (ended !== undefined) return fault("RE", "exit", "agent", endOf(ended));
  if (refused !== null) return fault("RE", "no_result", "grader", `the grader's result line is none: ${refused}`);
  const last = run.sessions.findLast(({ error }) => error !== null)?.error;
  if (last) return fault("RE", "error", "agent", `the agent raised ${last.type}: ${last.message}`);
  return fault("RE", "no_result", "grader", `bootstrap.sh ended ${exitOf(run)} and had printed no result`);
}

/** Whoever an answer is awaited from when the time is over. */
function slowOne(sessions: readonly AgentSession[]): "agent" | "grader" {
  return sessions.some(({ waiting }) => waiting) ? "agent" : "grader";
}

function endOf({ end, protocolFault }: AgentSession): string {
  if (protocolFault !== null) return protocolFault;
  const cause = end!.cause;
  switch (cause.kind) {
    case "exit":
      return `the agent's process ended with ${cause.code}`;
    case "signal":
      return `the agent's process was ended by ${cause.signal}`;
    default:
      return `the agent's box was ended: ${cause.kind}`;
  }
}

function exitOf({ exit, grader }: PairRun): string {
  if (exit?.code !== undefined) return `with ${exit.code}`;
  if (exit?.signal !== undefined) return `by signal ${exit.signal}`;
  return `with its box (${grader.cause.kind})`;
}
