import { runCompare } from "./compare.ts";
import { runEnvCheck } from "./env-check.ts";
import { runGrade } from "./grade.ts";
import { runMatch } from "./match.ts";
import { runNoop } from "./noop.ts";
import type { Runner } from "./runner.ts";
import { runTaskCheck } from "./task-check.ts";
import { runValidate } from "./validate.ts";

/** By the kind of job. */
export const RUNNERS: ReadonlyMap<string, Runner> = new Map<string, Runner>([
  ["match", runMatch],
  ["validate", runValidate],
  ["grade", runGrade],
  ["task_check", runTaskCheck],
  ["compare", runCompare],
  ["env_check", runEnvCheck],
  ["noop", runNoop],
]);
