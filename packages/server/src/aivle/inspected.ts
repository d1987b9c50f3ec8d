/** What `celery inspect` shows of jobs, with the fields that Celery's own worker gives. */
import type { JobAtHand, JobState } from "./at-hand.ts";
import { TASK_NAME } from "./task-message.ts";

/** Celery's priority of what waits for its time. */
const ETA_PRIORITY = 6;

function info({ message, since }: JobAtHand, self: string) {
  return {
    id: message.taskId,
    name: TASK_NAME,
    args: [message.jobId],
    kwargs: {},
    type: TASK_NAME,
    hostname: self,
    time_start: since,
    acknowledged: false,
    delivery_info: {},
    worker_pid: since === null ? null : process.pid,
  };
}

export function inspected(jobs: readonly JobAtHand[], state: JobState, self: string): readonly unknown[] {
  const found = jobs.filter((job) => job.state === state);
  if (state !== "scheduled") return found.map((job) => info(job, self));
  return found.map((job) => ({
    eta: job.message.eta?.toISOString().replace("Z", "+00:00") ?? null,
    priority: ETA_PRIORITY,
    request: info(job, self),
  }));
}

export function inspectedById(jobs: readonly JobAtHand[], ids: readonly string[], self: string): unknown {
  const found = jobs.filter(({ message }) => ids.includes(message.taskId));
  return Object.fromEntries(found.map((job) => [job.message.taskId, [job.state, info(job, self)]]));
}
