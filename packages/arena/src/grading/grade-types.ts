/** What a grading gives: the JSON form of Grade is the document that `lanista grade --json` prints. */
import type { Fault, MatchStamp } from "../result.ts";

/** As students know them: right, too slow, too much memory, a program that failed or broke the rules. */
export type Verdict = "OK" | "TLE" | "MLE" | "RE";

export const VERDICTS: Readonly<Record<Fault, Verdict>> = {
  timeout: "TLE",
  cpu: "TLE",
  memory: "MLE",
  start: "RE",
  crash: "RE",
  pids: "RE",
  output: "RE",
  scratch: "RE",
  illegal_action: "RE",
  protocol: "RE",
};

export interface CaseGrade {
  readonly id: string;
  readonly title: string;
  readonly hidden: boolean;
  readonly weight: number;
  readonly outcome: "completed" | "agent_fault" | "infra_fault" | "cancelled";
  /** 0 … 1; 0 after a fault of the agent's; null after one of ours, or when cancelled. */
  readonly value: number | null;
  readonly verdict: Verdict | null;
  /** What the scoring measured; null unless completed. */
  readonly measured: number | null;
  readonly fault: Fault | null;
  readonly detail: string | null;
  readonly seed: number;
  readonly seat: number;
  readonly episodes: number;
  readonly steps: number;
  readonly opponents: readonly { readonly name: string; readonly digest: string }[];
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
  readonly replay: { readonly file: string | null; readonly hash: string };
  /** What the agent wrote to standard error, in a file, if that was asked for. */
  readonly log: string | null;
}

export interface Grade {
  /**
   * `agent_fault`: in some case; the points of the others count. `infra_fault`: in some case, so there are no points at all. Ours,
   * or the task's own: then `detail` says that an opponent of the task's was at fault.
   */
  readonly outcome: {
    readonly kind: CaseGrade["outcome"];
    /** The ids of the cases that ended so; none where all were completed. */
    readonly cases: readonly string[];
    readonly detail: string | null;
  };
  readonly points: number | null;
  readonly outOf: number;
  /** In the order of the manifest. */
  readonly cases: readonly CaseGrade[];
  readonly task: { readonly title: string; readonly digest: string };
  readonly agent: { readonly name: string; readonly digest: string };
  readonly env: string;
  readonly envVersion: number;
  readonly sandbox: MatchStamp | null;
  readonly wallSeconds: number;
  readonly engine: string;
}

/** What of a hidden case the student may know: how it went, and nothing of what it was. */
export interface HiddenCaseGrade
  extends Pick<CaseGrade, "id" | "title" | "hidden" | "weight" | "outcome" | "value" | "verdict" | "fault"> {}

export interface StudentGrade extends Omit<Grade, "cases" | "outcome"> {
  readonly outcome: Omit<Grade["outcome"], "detail">;
  readonly cases: readonly (CaseGrade | HiddenCaseGrade)[];
}

/** The grade as the student may see it. Hidden cases lose their names too, which their author wrote for himself. */
export function studentView(grade: Grade): StudentGrade {
  const names = new Map<string, string>();
  for (const { id, hidden } of grade.cases) names.set(id, hidden ? `hidden-${names.size + 1}` : id);
  const { detail: _, ...outcome } = grade.outcome;
  return {
    ...grade,
    outcome: { ...outcome, cases: outcome.cases.map((id) => names.get(id)!) },
    cases: grade.cases.map((one) => {
      if (!one.hidden) return one;
      const name = names.get(one.id)!;
      const { weight, outcome, value, verdict, fault } = one;
      return { id: name, title: name, hidden: true, weight, outcome, value, verdict, fault };
    }),
  };
}
