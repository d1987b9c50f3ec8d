/** What grading one of aiVLE's bundle pairs asks for, and what comes out of it. */
import type { GiveUp, Runtime, SandboxStamp, Tier } from "@lanista/sandbox/types";
import type { Interpreter } from "../agents/command.ts";
import type { Verdict } from "../grading/grade-types.ts";

export interface LegacyLimits {
  /** Of each process's address space, as in aiVLE, and of each box's memory. 0: no limit but the boxes' own. */
  readonly ramBytes: number;
  /** GPU memory of each box that is given GPUs. Absent: no limit. */
  readonly vramBytes?: number;
  /** Seconds of wall time, from the start of bootstrap.sh. 0: no limit but a day. */
  readonly runSeconds: number;
}

export interface LegacyBoxesOptions {
  readonly tier: Tier;
  readonly runtime?: Runtime;
  readonly giveUp?: readonly GiveUp[];
  /** GPUs that the boxes of bundles are given: in aiVLE the agent and the grader are one process. */
  readonly gpus?: readonly string[];
  /** The Python of bundles without requirements, and of the reader of results. */
  readonly python: Interpreter;
  readonly guestDir: string;
  /** CPUs of each box; default 1. */
  readonly cpus?: number;
  /** How many boxes of a kind in use are kept warm; default none. A grading takes two, and one to read the result. */
  readonly warm?: number;
}

export type LegacySplit =
  /** Split where it can be; where not, in one box, and the grade says so. */
  | "prefer"
  /** Where it cannot be split, there is no result. */
  | "require"
  /** In one box, as aiVLE does it. */
  | "never";

export interface LegacyProgress {
  readonly phase: "packages" | "running" | "again" | "reading";
  /** Of `again`: why it cannot be split. */
  readonly detail?: string;
}

/** What aiVLE's worker would have sent to its site, but for `task_id`. */
export interface SiteRecord {
  readonly ok: boolean;
  readonly raw_log: string;
  readonly result: string | null;
  readonly error: "TLE" | "MLE" | "VLE" | "RE" | null;
}

export type LegacyVerdict = Verdict;

export interface LegacyCase {
  readonly caseId: string | number | null;
  readonly name: string | null;
  readonly value: number | null;
  /** As JSON can hold it. */
  readonly detail: unknown;
  /** What stopped the case; null if nothing did. */
  readonly error: string | null;
}

export type LegacyFault =
  | "time"
  | "memory"
  | "vram"
  | "error"
  | "exit"
  | "protocol"
  | "no_result"
  | "requirements"
  | "bundle"
  | "output";

export interface LegacyOutcome {
  readonly kind: "completed" | "agent_fault" | "infra_fault" | "cancelled";
  readonly verdict: LegacyVerdict | null;
  readonly fault: LegacyFault | null;
  /** Where it happened. A grader that fails may have been made to by its agent's answers, so that is the agent's loss too. */
  readonly where: "agent" | "grader" | null;
  readonly detail: string | null;
}

export interface LegacyTypedGrade {
  readonly format: "aivle";
  readonly outcome: LegacyOutcome;
  /** The first case's, which is what aiVLE's site takes for the score; null without a result. */
  readonly value: number | null;
  readonly suiteId: string | number | null;
  readonly cases: readonly LegacyCase[];
  /** Whether the agent had a box of its own. Where not, it could have written its own result. */
  readonly split: boolean;
  readonly whyNotSplit: string | null;
  /** A bundle that was refused has no digest. */
  readonly grader: { readonly name: string; readonly digest: string | null };
  readonly agent: { readonly name: string; readonly digest: string | null };
  /** The package set's key; null without requirements. */
  readonly packages: string | null;
  /** What is in that set in another version than was asked for. */
  readonly packagesNote: string | null;
  readonly sandbox: SandboxStamp | null;
  readonly limits: LegacyLimits;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
  /** Questions the grader asked its agent. */
  readonly calls: number;
  /** What the agent wrote, bounded. In one box it is in the site's raw_log. */
  readonly agentLog: string;
  readonly engine: string;
}

export interface LegacyGrade {
  readonly site: SiteRecord;
  readonly grade: LegacyTypedGrade;
}
