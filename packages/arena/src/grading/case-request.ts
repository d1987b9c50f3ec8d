/** What it takes to run a case, and what of its grade depends on how it was run. */
import type { AgentBoxes, BoxExtras } from "../agent-boxes.ts";
import type { PreparedAgent } from "../agents/types.ts";
import type { EnvironmentBoxes } from "../bundled/environment-boxes.ts";
import type { MatchStamp } from "../result.ts";
import type { CaseEnd } from "./case-end.ts";
import type { CaseFiles } from "./case-files.ts";
import type { CaseGrade } from "./grade-types.ts";
import type { TaskPackages } from "./packages.ts";
import type { PreparedTask } from "./task.ts";

/** Boxes with the task's limits of memory and CPUs, and interpreters for the agent and the task's programs. */
export type GradingBoxes = Pick<AgentBoxes, "contender" | "judge" | "guestDir">;
/** Boxes for bundled environments. */
export type GradingEnvironments = Pick<EnvironmentBoxes, "source">;

export interface CaseRequest {
  readonly task: PreparedTask;
  readonly agent: PreparedAgent;
  readonly boxes: GradingBoxes;
  readonly environments: GradingEnvironments | undefined;
  readonly packages: TaskPackages;
  readonly files: CaseFiles;
  /** Characters that the case's grade may hold of what was said. */
  readonly texts: number;
  readonly signal: AbortSignal;
}

/** What of a CaseGrade depends on how the case was run. */
export interface RanCase
  extends Pick<
    CaseGrade,
    | "seat"
    | "episodes"
    | "steps"
    | "opponents"
    | "data"
    | "cpuSeconds"
    | "peakMemoryBytes"
    | "replay"
    | "log"
    | "logText"
  > {
  readonly end: CaseEnd;
  readonly stamp: MatchStamp | null;
}

/** What the boxes of whoever is graded, and of opponents, have of the task. */
export function agentExtras({ task, packages }: CaseRequest): BoxExtras {
  return {
    ...(packages.agent === undefined ? {} : { packages: packages.agent }),
    ...(task.files === undefined ? {} : { files: task.files.dir }),
  };
}

export function judgeExtras({ task, packages }: CaseRequest): BoxExtras {
  return {
    ...(packages.judge === undefined ? {} : { packages: packages.judge }),
    limits: { memoryBytes: task.manifest.limits.judgeMemoryBytes },
  };
}
