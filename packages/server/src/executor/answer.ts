/**
 * How a match ended, in the executor's words. `completed`, or a participant's fault: SUCCESS, so that a fault costs its
 * owner the match and nothing else. The match's own deadline: TIMEOUT. A fault of ours: ERROR. Cancelled: CANCELLED.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type MatchResponseSchema, MatchStatus } from "@lanista/api/gen/executor/executor_pb";
import { type MatchTime, overPart } from "@lanista/arena/dawdling";
import type { ExecutorAgent, JobState, OutcomeRow } from "../db/types.ts";
import { hasScores } from "../jobs/match-kind.ts";
import type { MatchJobResult } from "../jobs/payloads.ts";

/** What is known of a match that has ended. */
export interface EndedMatch {
  readonly matchId: string;
  readonly agents: readonly ExecutorAgent[];
  readonly state: JobState;
  readonly outcome: OutcomeRow;
  readonly time: MatchTime;
  /** null where no worker came to report. */
  readonly result: MatchJobResult | null;
  /** From the first attempt to the end, seconds; what is said where there is no result. */
  readonly seconds: number;
}

export interface ReplayUrls {
  readonly json: string;
  readonly html: string;
}

export function statusOf({ outcome, result }: Pick<EndedMatch, "outcome" | "result">): MatchStatus {
  switch (outcome.kind) {
    case "completed":
    case "agent_fault":
      return MatchStatus.STATUS_SUCCESS;
    case "infra_fault":
      return MatchStatus.STATUS_ERROR;
    case "cancelled":
      return result?.timedOut === true ? MatchStatus.STATUS_TIMEOUT : MatchStatus.STATUS_CANCELLED;
  }
}

/** The agent that came first alone; null on a draw, without a valid end, and where it had nobody to beat. */
export function winnerOf({ agents, outcome, result }: EndedMatch): string | null {
  if (!hasScores(outcome) || result === null || agents.length < 2) return null;
  const first = result.seats.flatMap(({ rank }, seat) => (rank === 1 ? [seat] : []));
  return first.length === 1 ? (agents[first[0]!]?.agent_id ?? null) : null;
}

/** `urls`: null where no replay was asked for, or there is none. */
export function answerOf(match: EndedMatch, urls: ReplayUrls | null): MessageInitShape<typeof MatchResponseSchema> {
  const { outcome, result } = match;
  const status = statusOf(match);
  const slow = status === MatchStatus.STATUS_TIMEOUT ? dawdled(match) : [];
  return {
    matchId: match.matchId,
    status,
    winnerAgentId: winnerOf(match) ?? "",
    agentResults: match.agents.map((agent, seat) => agentResult(match, agent, seat, slow[seat] ?? "")),
    errorMessage: status === MatchStatus.STATUS_SUCCESS ? "" : sentence(outcome, status),
    totalSteps: result?.steps ?? 0,
    executionTimeSec: result?.wallSeconds ?? match.seconds,
    replayUrl: urls?.json ?? "",
    replayHtmlUrl: urls?.html ?? "",
  };
}

/**
 * By seat, a sentence for each agent that used up more than its part of a match that came to no end. No fault is counted:
 * each of its answers was in time. But whoever has it played again, or not, should know.
 */
function dawdled({ result, time }: EndedMatch): string[] {
  const thought = (result?.seats ?? []).map(({ thoughtSeconds = 0 }) => thoughtSeconds);
  const slow = overPart(
    thought.map((seconds) => seconds * 1000),
    time,
  );
  return thought.map((seconds, seat) =>
    slow.includes(seat)
      ? `its answers took ${seconds.toFixed(1)} of the match's ${time.matchSeconds} seconds, more than its part`
      : "",
  );
}

function agentResult({ outcome, result }: EndedMatch, agent: ExecutorAgent, seat: number, slow: string) {
  const own = result?.seats[seat];
  const first = outcome.kind === "agent_fault" && outcome.seats?.[0] === seat ? (outcome.detail ?? "") : "";
  return {
    agentId: agent.agent_id,
    score: (hasScores(outcome) ? own?.score : null) ?? 0,
    errors: own?.faults ?? 0,
    errorMessage: agent.refused || [own?.detail || first, slow].filter(Boolean).join("; "),
  };
}

function sentence(outcome: OutcomeRow, status: MatchStatus): string {
  const fallback =
    status === MatchStatus.STATUS_TIMEOUT
      ? "the match reached its own deadline"
      : status === MatchStatus.STATUS_CANCELLED
        ? "the match was cancelled"
        : "the match was ended by a fault that is no agent's";
  return outcome.detail || fallback;
}

/** The answer to a request that makes no sense, or cannot be served: as the original gives it. */
export function errorAnswer(
  matchId: string,
  agentIds: readonly string[],
  message: string,
): MessageInitShape<typeof MatchResponseSchema> {
  return {
    matchId,
    status: MatchStatus.STATUS_ERROR,
    errorMessage: message,
    agentResults: agentIds.map((agentId) => ({ agentId, score: 0, errors: 0, errorMessage: "" })),
  };
}
