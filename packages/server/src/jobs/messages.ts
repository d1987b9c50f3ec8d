/** Rows of jobs as the API says them. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Outcome, OutcomeKind, OutcomeSchema } from "@lanista/api/gen/lanista/v1/common_pb";
import { type Job, Job_State, JobSchema } from "@lanista/api/gen/lanista/v1/jobs_pb";
import type { App } from "../app.ts";
import type { Db, Tx } from "../db/database.ts";
import type { JobState, OutcomeRow } from "../db/types.ts";
import type { JobRow } from "./kinds.ts";
import { whyWaiting } from "./waiting.ts";
import { resourcesMessage } from "./workers.ts";

const KINDS: Readonly<Record<OutcomeRow["kind"], OutcomeKind>> = {
  completed: OutcomeKind.COMPLETED,
  agent_fault: OutcomeKind.AGENT_FAULT,
  infra_fault: OutcomeKind.INFRA_FAULT,
  cancelled: OutcomeKind.CANCELLED,
};

export const STATES: Readonly<Record<JobState, Job_State>> = {
  waiting: Job_State.WAITING,
  running: Job_State.RUNNING,
  ended: Job_State.ENDED,
  dead: Job_State.DEAD,
};

export function outcomeMessage(row: OutcomeRow): Outcome {
  const { kind, seats = [], fault = "", detail = "" } = row;
  return create(OutcomeSchema, { kind: KINDS[kind], seats: [...seats], fault, detail });
}

const stamp = (date: Date | null) => (date === null ? {} : timestampFromDate(date));

/** With its attempts and, while it waits, why. */
export async function jobMessage(app: App, db: Db | Tx, job: JobRow): Promise<Job> {
  const attempts = await db.selectFrom("attempts").selectAll().where("job_id", "=", job.id).orderBy("number").execute();
  const message = summaryMessage(job);
  message.attempts = create(JobSchema, {
    attempts: attempts.map(({ number, worker_name, started_at, ended_at, outcome }) => ({
      number,
      workerName: worker_name,
      startedAt: timestampFromDate(started_at),
      ...(ended_at !== null && { endedAt: timestampFromDate(ended_at) }),
      ...(outcome !== null && { outcome: outcomeMessage(outcome) }),
    })),
  }).attempts;
  if (job.state === "running") message.workerName = attempts.at(-1)?.worker_name ?? "";
  if (job.state === "waiting") {
    const wait = await whyWaiting(app, db, job);
    const { wait: made } = create(JobSchema, {
      wait: { ...wait, workers: [...wait.workers], ...(wait.notBefore && { notBefore: stamp(wait.notBefore) }) },
    });
    if (made !== undefined) message.wait = made;
  }
  return message;
}

/** As it stands in lists. */
export function summaryMessage(job: JobRow): Job {
  return create(JobSchema, {
    id: job.id,
    kind: job.kind,
    queue: job.queue,
    spaceId: job.space_id ?? "",
    ownerId: job.owner_id ?? "",
    state: STATES[job.state],
    ...(job.outcome !== null && { outcome: outcomeMessage(job.outcome) }),
    priority: job.priority,
    needs: resourcesMessage({
      cpus: job.cpus,
      memoryBytes: job.memory_bytes,
      gpus: job.gpus,
      vramBytes: job.vram_bytes,
    }),
    attempt: job.attempt,
    maxAttempts: job.max_attempts,
    createdAt: stamp(job.created_at),
    ...(job.started_at !== null && { startedAt: stamp(job.started_at) }),
    ...(job.ended_at !== null && { endedAt: stamp(job.ended_at) }),
    ...(job.lease_until !== null && { leaseUntil: stamp(job.lease_until) }),
  });
}
