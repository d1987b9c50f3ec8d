/** How a case of a task ended, before it is worth anything. */
import type { Reply } from "../reply.ts";
import type { Fault } from "../result.ts";

export type CaseEnd =
  | {
      readonly kind: "completed";
      readonly measured: number;
      /** A judge's own, for whoever grades and for whoever is graded. */
      readonly detail: string | null;
      readonly message: string | null;
    }
  | { readonly kind: "agent_fault"; readonly fault: Fault; readonly detail: string }
  /** `again`: a box or the host failed, and another try may go well; what the task's author did wrong stays wrong. */
  | { readonly kind: "infra_fault"; readonly detail: string; readonly again: boolean }
  | { readonly kind: "cancelled"; readonly detail: string | null };

/** How the detail of a fault begins that is the task's author's to mend. */
export const AUTHORS = "the task's own";

/** Whether that is whose fault it was. */
export function isAuthors(detail: string | null): boolean {
  return detail?.startsWith(AUTHORS) === true;
}

/** What the agent's reply ends, where it is no answer. */
export function endByAgent(reply: Reply): CaseEnd {
  switch (reply.kind) {
    case "fault":
      return { kind: "agent_fault", fault: reply.fault, detail: reply.detail };
    case "infra":
      return { kind: "infra_fault", detail: `the agent's box: ${reply.detail}`, again: true };
    case "cancelled":
      return { kind: "cancelled", detail: null };
    default:
      throw new Error(`"${reply.kind}" ends nothing`);
  }
}

/** What the judge's does. It is the author's to mend, and neither the student's loss nor his gain. */
export function endByJudge(reply: Reply): CaseEnd {
  switch (reply.kind) {
    case "fault": {
      const what = `${AUTHORS} judge was at fault: ${reply.fault}, ${reply.detail}`;
      return { kind: "infra_fault", detail: what, again: false };
    }
    case "infra":
      return { kind: "infra_fault", detail: `the judge's box: ${reply.detail}`, again: true };
    case "cancelled":
      return { kind: "cancelled", detail: null };
    default:
      throw new Error(`"${reply.kind}" ends nothing`);
  }
}
