/** One case, whichever its kind: how it ended, and what that is worth. */
import type { MatchStamp } from "../result.ts";
import { cut } from "./case-files.ts";
import type { CaseRequest } from "./case-request.ts";
import { gradeConversation } from "./grade-conversation.ts";
import { gradeMatch } from "./grade-match.ts";
import { type CaseGrade, VERDICTS } from "./grade-types.ts";
import { worth } from "./scoring.ts";
import type { PreparedCase } from "./task.ts";

export async function gradeCase(
  request: CaseRequest,
  one: PreparedCase,
): Promise<{ readonly grade: CaseGrade; readonly stamp: MatchStamp | null }> {
  const ran = one.kind === "environment" ? await gradeMatch(request, one) : await gradeConversation(request, one);
  const { end, stamp, ...rest } = ran;
  const { id, title, hidden, weight, seed } = one;
  const measured = end.kind === "completed" ? end.measured : null;
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
    detail: cut(end.detail, request.texts / 4),
    message: cut(end.kind === "completed" ? end.message : null, request.texts / 4),
    seed,
    ...rest,
  };
  return { grade, stamp };
}
