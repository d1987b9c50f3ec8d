/** JobService: what became of a job, why it waits, and the queues. */
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  CancelJobRequestSchema,
  CancelJobResponseSchema,
  type JobService,
  RetryJobRequestSchema,
  RetryJobResponseSchema,
  UpdateQueueRequestSchema,
  UpdateQueueResponseSchema,
} from "@lanista/api/gen/lanista/v1/jobs_pb";
import type { App } from "../app.ts";
import { atLeast, isAdministrator, requireSpace, requireUser, roleIn } from "../auth/access.ts";
import { type Caller, callerOf } from "../auth/caller.ts";
import type { Db } from "../db/database.ts";
import type { JobState } from "../db/types.ts";
import { COURSE_KINDS, organisedJob, ownJob, readableSeats, seenJob } from "../jobs/access.ts";
import { cancelJob, reviveJob } from "../jobs/cancel.ts";
import { jobMessage, STATES, summaryMessage } from "../jobs/messages.ts";
import { queueMessages, updateQueue } from "../jobs/queues.ts";
import { readLog } from "../jobs/read-log.ts";
import { watchJob } from "../jobs/watch-job.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";

const stateNames = new Map(Object.entries(STATES).map(([name, state]) => [state, name as JobState]));

export function jobService(app: App): ServiceImpl<typeof JobService> {
  const { db } = app;
  return {
    async getJob(request, context) {
      return { job: await jobMessage(app, db, await seenJob(db, callerOf(context), request.jobId)) };
    },

    async listJobs(request, context) {
      const caller = callerOf(context);
      const wanted = pageWanted(request.page, 1);
      let query = db.selectFrom("jobs").selectAll();
      if (request.space !== "") {
        const least = request.all ? "assistant" : "participant";
        const { space, role } = await requireSpace(db, caller, request.space, least);
        query = query.where("space_id", "=", space.id);
        if (request.all && !atLeast(role, "organiser")) query = query.where("kind", "in", COURSE_KINDS);
      } else if (!isAdministrator(caller) || caller.spaceId !== null) {
        if (request.all)
          throw new LanistaError("invalid", "name a space: everybody's jobs everywhere are an administrator's to see", {
            field: "space",
          });
        query = query.where((eb) => eb.or([eb("space_id", "is", null), eb("space_id", "in", spacesOf(db, caller))]));
        if (caller.spaceId !== null) query = query.where("space_id", "=", caller.spaceId);
      }
      if (!request.all) query = query.where("owner_id", "=", requireUser(caller).id);
      const states = request.states.flatMap((state) => stateNames.get(state) ?? []);
      if (states.length > 0) query = query.where("state", "in", states);
      if (request.queue !== "") query = query.where("queue", "=", request.queue);
      if (wanted.after !== null) query = query.where("id", "<", uuidKey(wanted.after[0]));
      const found = await query
        .orderBy("id", "desc")
        .limit(wanted.size + 1)
        .execute();
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.id]);
      return { jobs: rows.map(summaryMessage), nextPageToken };
    },

    cancelJob: (request, context) =>
      mutate(
        app,
        context,
        { input: CancelJobRequestSchema, output: CancelJobResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const job = await ownJob(tx, caller, request.jobId);
          note.subject = job.id;
          note.spaceId = job.space_id;
          const mine = caller.user !== null && caller.user.id === job.owner_id;
          const reason = mine ? "cancelled by its owner" : "cancelled by an organiser";
          if (!(await cancelJob(app, tx, job.id, reason)) && job.outcome?.kind !== "cancelled")
            throw new LanistaError("conflict", `the job is ${job.state}: there is nothing to cancel`);
          return { job: await jobMessage(app, tx, await ownJob(tx, caller, job.id)) };
        },
      ),

    retryJob: (request, context) =>
      mutate(
        app,
        context,
        { input: RetryJobRequestSchema, output: RetryJobResponseSchema },
        request,
        async (tx, note) => {
          const job = await organisedJob(tx, callerOf(context), request.jobId);
          note.subject = job.id;
          note.spaceId = job.space_id;
          return { job: await jobMessage(app, tx, await reviveJob(app, tx, job.id)) };
        },
      ),

    async *watchJob(request, context) {
      const job = await seenJob(db, callerOf(context), request.jobId);
      for await (const now of watchJob(app, job.id, context.signal)) yield { job: now };
    },

    async *readLog(request, context) {
      const { job, seats } = await readableSeats(db, callerOf(context), request.jobId);
      yield* readLog(app, job.id, seats, request.follow, context.signal);
    },

    async listQueues(_request, context) {
      const caller = callerOf(context);
      const rows = await db.selectFrom("queues").selectAll().orderBy("name").execute();
      const seen = [];
      for (const row of rows)
        if (row.space_id === null || (await roleIn(db, caller, row.space_id)) !== null) seen.push(row);
      return { queues: await queueMessages(app, db, seen) };
    },

    updateQueue: (request, context) =>
      mutate(
        app,
        context,
        { input: UpdateQueueRequestSchema, output: UpdateQueueResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          if (request.space === "" && caller.spaceId !== null)
            throw new LanistaError("forbidden", "this token is for one space: name it, for a queue of its own", {
              field: "space",
            });
          const space =
            request.space === "" ? null : (await requireSpace(tx, caller, request.space, "organiser")).space;
          const row = await updateQueue(app, tx, request, space?.id ?? null);
          note.subject = row.name;
          note.spaceId = row.space_id;
          const [queue] = await queueMessages(app, tx, [row]);
          return { queue: queue! };
        },
      ),
  };
}

/** Those he is a member of now: a job in another is not his to see any more. */
function spacesOf(db: Db, caller: Caller) {
  return db.selectFrom("members").select("space_id").where("user_id", "=", requireUser(caller).id);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function uuidKey(key: string | number | undefined): string {
  if (typeof key === "string" && UUID.test(key)) return key;
  throw new LanistaError("invalid", "the page token is none that this list gave", { field: "page.token" });
}
