import { MatchStatus } from "@lanista/api/gen/executor/executor_pb";
import { describe, expect, test } from "vitest";
import type { OutcomeRow } from "../db/types.ts";
import type { MatchJobResult } from "../jobs/payloads.ts";
import { answerOf, type EndedMatch } from "./answer.ts";

const seat = (score: number | null, rank: number | null, faults = 0, detail = "") => ({
  score,
  rank,
  faults,
  faultKinds: {},
  detail,
  digest: "",
  cpuSeconds: 0,
  peakMemoryBytes: 0,
});
const result = (seats: MatchJobResult["seats"], timedOut = false): MatchJobResult => ({
  envVersion: 1,
  seats,
  episodes: 1,
  steps: 42,
  replayHash: "",
  timedOut,
  wallSeconds: 1.25,
  engine: "",
  sandbox: null,
});
const ended = (outcome: OutcomeRow, of: MatchJobResult | null, names = ["a", "b"]): EndedMatch => ({
  matchId: "m",
  agents: names.map((agent_id) => ({ agent_id, version: "1", refused: "" })),
  state: "ended",
  time: { matchSeconds: 100, actSeconds: 5 },
  outcome,
  result: of,
  seconds: 7,
});
const urls = { json: "j", html: "h" };

describe("the answer", () => {
  test("to a match that was won", () => {
    expect(answerOf(ended({ kind: "completed" }, result([seat(11, 1), seat(-3, 2, 2, "slow")])), urls)).toEqual({
      matchId: "m",
      status: MatchStatus.STATUS_SUCCESS,
      winnerAgentId: "a",
      agentResults: [
        { agentId: "a", score: 11, errors: 0, errorMessage: "" },
        { agentId: "b", score: -3, errors: 2, errorMessage: "slow" },
      ],
      errorMessage: "",
      totalSteps: 42,
      executionTimeSec: 1.25,
      replayUrl: "j",
      replayHtmlUrl: "h",
    });
  });

  test("to a draw names nobody", () => {
    expect(answerOf(ended({ kind: "completed" }, result([seat(0, 1), seat(0, 1)])), null)).toMatchObject({
      status: MatchStatus.STATUS_SUCCESS,
      winnerAgentId: "",
      replayUrl: "",
      replayHtmlUrl: "",
    });
  });

  test("to a single agent's match names nobody: it beat nobody", () => {
    expect(answerOf(ended({ kind: "completed" }, result([seat(200, 1)]), ["a"]), null)).toMatchObject({
      winnerAgentId: "",
      agentResults: [{ score: 200 }],
    });
  });

  test("to a participant's fault is a success for the other, with what went wrong at the guilty one", () => {
    const fault = { kind: "agent_fault", seats: [1], fault: "crash", detail: "it ended" } as const;
    expect(answerOf(ended(fault, result([seat(1, 1), seat(-1, 2, 1)])), urls)).toMatchObject({
      status: MatchStatus.STATUS_SUCCESS,
      winnerAgentId: "a",
      errorMessage: "",
      agentResults: [{ errorMessage: "" }, { errors: 1, errorMessage: "it ended" }],
    });
  });

  test("when all are guilty names no winner", () => {
    const fault = { kind: "agent_fault", seats: [0, 1], fault: "start", detail: "both" } as const;
    expect(answerOf(ended(fault, result([seat(0, 1, 1), seat(0, 1, 1)])), null)).toMatchObject({
      status: MatchStatus.STATUS_SUCCESS,
      winnerAgentId: "",
    });
  });

  test.each([
    ["the match's own deadline", { kind: "cancelled", detail: "30 s were over" }, true, MatchStatus.STATUS_TIMEOUT],
    ["a cancel", { kind: "cancelled" }, false, MatchStatus.STATUS_CANCELLED],
    ["a fault of ours", { kind: "infra_fault", detail: "no runtime" }, false, MatchStatus.STATUS_ERROR],
  ] as const)("after %s has neither scores nor a winner, and says why", (_, outcome, timedOut, status) => {
    const answer = answerOf(ended(outcome, result([seat(5, 1, 3, "slow"), seat(-5, 2)], timedOut)), urls);
    expect(answer).toMatchObject({ status, winnerAgentId: "" });
    expect(answer.errorMessage).not.toBe("");
    expect(answer.agentResults).toMatchObject([{ score: 0, errors: 3 }, { score: 0 }]);
  });

  test("after the match's own deadline tells whose answers took more than their part of it, and counts no fault for that", () => {
    const thought = (seconds: number, ...of: Parameters<typeof seat>) => ({ ...seat(...of), thoughtSeconds: seconds });
    const seats = [thought(50, null, null), thought(40, null, null, 1, "late once")];
    const told = (outcome: OutcomeRow, timedOut: boolean) =>
      answerOf(ended(outcome, result(seats, timedOut)), null).agentResults;
    expect(told({ kind: "cancelled" }, true)).toMatchObject([
      { errors: 0, errorMessage: "its answers took 50.0 of the match's 100 seconds, more than its part" },
      { errors: 1, errorMessage: "late once" },
    ]);
    for (const kind of ["cancelled", "completed"] as const)
      expect(told({ kind }, false)).toMatchObject([{ errorMessage: "" }, { errorMessage: "late once" }]);
    // By a worker of old, which does not say it.
    const old = result([seat(null, null), seat(null, null)], true);
    expect(answerOf(ended({ kind: "cancelled" }, old), null).agentResults).toMatchObject([{ errorMessage: "" }, {}]);
  });

  test("without a result says how long it took all the same", () => {
    expect(answerOf(ended({ kind: "infra_fault" }, null), null)).toMatchObject({
      status: MatchStatus.STATUS_ERROR,
      executionTimeSec: 7,
      totalSteps: 0,
      agentResults: [{ agentId: "a" }, { agentId: "b" }],
    });
  });

  test("says why code was refused, whatever the box said", () => {
    const match = ended(
      { kind: "agent_fault", seats: [1], detail: "nothing to start" },
      result([seat(1, 1), seat(-1, 2, 1)]),
    );
    const agents = [match.agents[0]!, { ...match.agents[1]!, refused: "over 50 MB" }];
    expect(answerOf({ ...match, agents }, null).agentResults).toMatchObject([{}, { errorMessage: "over 50 MB" }]);
  });
});
