/** The API's values as people read them. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Outcome, OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { type Job, Job_State } from "@lanista/api/gen/lanista/v1/jobs_pb";
import { Ladder_State } from "@lanista/api/gen/lanista/v1/ladders_pb";
import type { Match } from "@lanista/api/gen/lanista/v1/matches_pb";
import { type Submission, Submission_State } from "@lanista/api/gen/lanista/v1/submissions_pb";
import { oneLine } from "../terminal.ts";
import { plural, secondsText } from "../units.ts";

/** `2026-05-01 13:20:05`, in the reader's time zone. */
export function timeText(stamp: Timestamp | undefined): string {
  if (stamp === undefined) return "–";
  const date = timestampDate(stamp);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace("T", " ");
}

const OUTCOMES: Readonly<Record<OutcomeKind, string>> = {
  [OutcomeKind.UNSPECIFIED]: "–",
  [OutcomeKind.COMPLETED]: "completed",
  [OutcomeKind.AGENT_FAULT]: "an agent's fault",
  [OutcomeKind.INFRA_FAULT]: "a fault of ours: nobody's loss",
  [OutcomeKind.CANCELLED]: "cancelled",
};

export function outcomeText(outcome: Outcome | undefined): string {
  if (outcome === undefined) return "–";
  const detail = [outcome.fault, outcome.detail].filter((text) => text !== "").join(": ");
  return oneLine(detail === "" ? OUTCOMES[outcome.kind] : `${OUTCOMES[outcome.kind]} (${detail})`);
}

const JOBS: Readonly<Record<Job_State, string>> = {
  [Job_State.UNSPECIFIED]: "–",
  [Job_State.WAITING]: "waiting",
  [Job_State.RUNNING]: "running",
  [Job_State.ENDED]: "ended",
  [Job_State.DEAD]: "set aside",
};

/** One line: the state, and why it waits or how it ended. */
export function jobText(job: Job): string {
  const state = JOBS[job.state];
  if (job.state === Job_State.RUNNING)
    return oneLine(`${state} on ${job.workerName}, attempt ${job.attempt} of ${job.maxAttempts}`);
  if (job.state !== Job_State.WAITING || job.wait === undefined) return `${state}: ${outcomeText(job.outcome)}`;
  const { position, estimateSeconds, detail } = job.wait;
  const when = estimateSeconds < 0 ? "" : `, about ${secondsText(estimateSeconds)}`;
  return oneLine(`${state}, number ${position}${when}: ${detail}`);
}

/** A match's state; of one that is over, how it ended. */
export function matchText({ state, outcome }: Match): string {
  if (state === "ended") return outcomeText(outcome);
  return state === "dead" ? `set aside: ${outcomeText(outcome)}` : state;
}

const SUBMISSIONS: Readonly<Record<Submission_State, string>> = {
  [Submission_State.UNSPECIFIED]: "–",
  [Submission_State.VALIDATING]: "being validated",
  [Submission_State.ACCEPTED]: "accepted",
  [Submission_State.REJECTED]: "rejected",
  [Submission_State.CANCELLED]: "cancelled",
  [Submission_State.FAILED]: "stopped by a fault of ours",
};

export function submissionText(submission: Submission): string {
  return SUBMISSIONS[submission.state];
}

/** Errors and warnings, a line each. */
export function remarks(submission: Submission): string[] {
  return [
    ...submission.errors.map((text) => `error: ${oneLine(text)}`),
    ...submission.warnings.map((text) => `warning: ${oneLine(text)}`),
  ];
}

const LADDERS: Readonly<Record<Ladder_State, string>> = {
  [Ladder_State.UNSPECIFIED]: "–",
  [Ladder_State.OPEN]: "open",
  [Ladder_State.FROZEN]: "frozen",
  [Ladder_State.FINALS]: "finals",
  [Ladder_State.FINISHED]: "finished",
};

export function ladderState(state: Ladder_State): string {
  return LADDERS[state];
}

export function agoText(stamp: Timestamp | undefined, now = Date.now()): string {
  if (stamp === undefined) return "never";
  const seconds = Math.max(0, Math.round((now - timestampDate(stamp).getTime()) / 1000));
  if (seconds < 120) return `${plural(seconds, "second")} ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes ago`;
  return `${Math.round(seconds / 3600)} hours ago`;
}
