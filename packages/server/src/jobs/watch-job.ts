/** A job as it changes: at each event of its own, and while it waits as the queue before it moves. */
import { setTimeout as sleep } from "node:timers/promises";
import { equals } from "@bufbuild/protobuf";
import { type Job, JobSchema } from "@lanista/api/gen/lanista/v1/jobs_pb";
import type { App } from "../app.ts";
import { jobMessage } from "./messages.ts";

/** A queue may move a hundred times a second; nobody reads places so often. */
const PAUSE_MS = 250;
/** Claims ahead of it make no event of the queue's. */
const WAITING_LOOK_MS = 2_000;

/** Ends with the job's end, or when it is set aside. */
export async function* watchJob(app: App, jobId: string, signal: AbortSignal): AsyncIterable<Job> {
  let last: Job | undefined;
  const queue = await app.db.selectFrom("jobs").select("queue").where("id", "=", jobId).executeTakeFirst();
  const topics = [`job:${jobId}`, ...(queue === undefined ? [] : [`queue:${queue.queue}`]), "queues"];
  for await (const _ of app.events.changes(topics, signal, WAITING_LOOK_MS)) {
    const row = await app.db.selectFrom("jobs").selectAll().where("id", "=", jobId).executeTakeFirst();
    if (row === undefined) return;
    const job = await jobMessage(app, app.db, row);
    if (last === undefined || !equals(JobSchema, last, job)) yield job;
    last = job;
    if (row.state === "ended" || row.state === "dead") return;
    if (row.state === "waiting") await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}
