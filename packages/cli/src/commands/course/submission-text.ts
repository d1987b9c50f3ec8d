/** A submission for a task in one line: what came of it, or where it stands. */
import { TaskSubmission_State as State, type TaskSubmission } from "@lanista/api/gen/lanista/v1/grades_pb";
import { oneLine } from "../../terminal.ts";
import { scoreText, secondsText } from "../../units.ts";

export function submissionLine(submission: TaskSubmission): string {
  return oneLine(
    [`number ${submission.number}`, stateText(submission), lateText(submission)].filter(Boolean).join(", "),
  );
}

export function stateText({ state, points, outOf, position, estimateSeconds, waitDetail }: TaskSubmission): string {
  const graded = points === undefined ? "" : `${scoreText(points)} of ${scoreText(outOf)} points`;
  switch (state) {
    case State.WAITING: {
      const about = estimateSeconds < 0n ? "" : `, about ${secondsText(Number(estimateSeconds))}`;
      const place = position === 0 ? "waiting" : `waiting, number ${position}${about}: ${waitDetail}`;
      return graded === "" ? place : `${graded}; to be graded again: ${place}`;
    }
    case State.RUNNING:
      return graded === "" ? "is being graded" : `${graded}; is being graded again`;
    case State.GRADED:
      return graded;
    case State.CANCELLED:
      return "cancelled";
    default:
      return "stopped by a fault of ours or of the task's; it counts against no quota";
  }
}

export function lateText({ lateSeconds, deductionPercent }: TaskSubmission): string {
  if (lateSeconds === 0n) return "";
  const off = deductionPercent === 0 ? "" : ` (${scoreText(deductionPercent)} % off)`;
  return `late by ${secondsText(Number(lateSeconds))}${off}`;
}
