/** What a grading gives: the JSON form of Grade is the document that `lanista grade --json` prints. */
import type { Fault, MatchResult, MatchStamp } from "../result.ts";
import type { TaskKind } from "./measures.ts";

/** As students know them: right, too slow, too much memory, a program that failed or broke the rules. */
export type Verdict = "OK" | "TLE" | "MLE" | "VLE" | "RE";

export const VERDICTS: Readonly<Record<Fault, Verdict>> = {
  timeout: "TLE",
  cpu: "TLE",
  memory: "MLE",
  vram: "VLE",
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
  /** What went wrong, or what the task's judge says of it to whoever grades. */
  readonly detail: string | null;
  /** What the task's judge says to whoever is graded. */
  readonly message: string | null;
  readonly seed: number;
  readonly seat: number;
  readonly episodes: number;
  /** Of all episodes; without an environment: questions. */
  readonly steps: number;
  readonly opponents: readonly Made[];
  /** SHA-256 of a supervised case's files. */
  readonly data: { readonly inputs: string; readonly labels: string } | null;
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
  /** Without an environment: of what was asked and answered. */
  readonly replay: { readonly file: string | null; readonly hash: string };
  /** What the agent wrote to standard error, in a file, if that was asked for. */
  readonly log: string | null;
  /** The first and the last of it; null where it wrote nothing. */
  readonly logText: string | null;
}

/** Files that somebody made, by their digest. */
export interface Made {
  readonly name: string;
  readonly digest: string;
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
  readonly kind: TaskKind;
  readonly agent: Made;
  readonly judge: Made | null;
  /** The digest of what the agent could read of the task. */
  readonly files: string | null;
  /** The keys of the Python packages that were there for them. */
  readonly packages: { readonly agent: string | null; readonly judge: string | null };
  /** The environment's id; null where there is none. */
  readonly env: string | null;
  readonly envVersion: number | null;
  /** The digest of a bundled environment; null of a built-in one. */
  readonly envBundle: string | null;
  readonly sandbox: MatchStamp | null;
  /** The files asked for that could not be written, and why: our fault, which changes nothing about the grade. */
  readonly unwritten: MatchResult["unwritten"];
  readonly wallSeconds: number;
  readonly engine: string;
}

/** What of a hidden case the student may know: how it went, and nothing of what it was. */
export interface HiddenCaseGrade
  extends Pick<CaseGrade, "id" | "title" | "hidden" | "weight" | "outcome" | "value" | "verdict" | "fault"> {}

export interface StudentGrade extends Omit<Grade, "cases" | "outcome" | "unwritten"> {
  readonly outcome: Omit<Grade["outcome"], "detail">;
  readonly cases: readonly (CaseGrade | HiddenCaseGrade)[];
}

/** The grade as the student may see it. Hidden cases lose their names too, which their author wrote for himself. */
export function studentView(grade: Grade): StudentGrade {
  const names = new Map<string, string>();
  for (const { id, hidden } of grade.cases) names.set(id, hidden ? `hidden-${names.size + 1}` : id);
  const { detail: _, ...outcome } = grade.outcome;
  const { unwritten: __, ...told } = grade;
  return {
    ...told,
    outcome: { ...outcome, cases: outcome.cases.map((id) => names.get(id)!) },
    cases: grade.cases.map((one) => {
      // A judge's detail is for whoever grades; a fault's is the student's own. By the digest of a few labels all of them could be
      // found, by trying.
      if (!one.hidden) return { ...one, detail: one.outcome === "agent_fault" ? one.detail : null, data: null };
      const name = names.get(one.id)!;
      const { weight, outcome, value, verdict, fault } = one;
      return { id: name, title: name, hidden: true, weight, outcome, value, verdict, fault };
    }),
  };
}
