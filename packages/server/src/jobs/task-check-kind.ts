/** The kind `task_check`: a version of a task's bundle. */
import { checkKind } from "./check-kind.ts";
import { type TaskCheckPayload, type TaskCheckResult, taskCheckPayload, taskCheckResult } from "./task-payloads.ts";

export const taskCheckKind = checkKind<TaskCheckPayload, TaskCheckResult>("task_versions", {
  name: "task_check",
  payload: taskCheckPayload,
  result: taskCheckResult,
  bundles: ({ task, template }) => [task, ...(template === undefined ? [] : [template])],
});
