/** What the `rpc` result backend of Celery hands to whoever waits for a task, and how its fields are called there. */
import type { JobEnd } from "./job.ts";
import type { TaskMessage } from "./task-message.ts";

export function taskResult({ taskId }: TaskMessage, end: JobEnd): Buffer {
  const meta = {
    task_id: taskId,
    ...state(end),
    traceback: null,
    children: [],
    date_done: new Date().toISOString().replace("Z", "+00:00"),
  };
  return Buffer.from(JSON.stringify(meta));
}

function state(end: JobEnd): { readonly status: string; readonly result: unknown } {
  if (end.kind === "stored") {
    const { ok, raw_log, result, error } = end.report;
    return { status: "SUCCESS", result: { ok, raw_log, result, error } };
  }
  const status = end.kind === "revoked" ? "REVOKED" : "FAILURE";
  const type = end.kind === "revoked" ? "TaskRevokedError" : "Exception";
  return {
    status,
    result: {
      exc_type: type,
      exc_message: [end.why],
      exc_module: end.kind === "revoked" ? "celery.exceptions" : "builtins",
    },
  };
}
