/** SubmissionService: handing an agent in for a ladder. */
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  CancelSubmissionRequestSchema,
  CancelSubmissionResponseSchema,
  type SubmissionService,
  SubmitRequestSchema,
  SubmitResponseSchema,
} from "@lanista/api/gen/lanista/v1/submissions_pb";
import { sql } from "kysely";
import type { App } from "../app.ts";
import { notFound, requireOwn, requireRole, requireSpace, requireUser } from "../auth/access.ts";
import { type Caller, callerOf } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";
import { type SubmissionRow, selectSubmissions, submissionMessage } from "../submissions/rows.ts";
import { submit } from "../submissions/submit.ts";

export function submissionService(app: App): ServiceImpl<typeof SubmissionService> {
  const { db } = app;

  const ownSubmission = async (at: Db | Tx, caller: Caller, id: string): Promise<SubmissionRow> => {
    const row = await selectSubmissions(at).where("s.id", "=", id).executeTakeFirst();
    if (row === undefined) throw notFound("the submission");
    await requireOwn(at, caller, { spaceId: row.space_id, ownerId: row.owner_id }, "the submission");
    return row;
  };

  return {
    async submit(request, context) {
      const caller = callerOf(context);
      const user = requireUser(caller);
      return await mutate(
        app,
        context,
        { input: SubmitRequestSchema, output: SubmitResponseSchema },
        request,
        async (tx, note) => {
          const ladder = await tx
            .selectFrom("ladders")
            .selectAll()
            .where("id", "=", request.ladderId)
            .executeTakeFirst();
          if (ladder === undefined) throw notFound("the ladder");
          await requireRole(tx, caller, ladder.space_id, "participant", "the ladder");
          const { space } = await requireSpace(tx, caller, ladder.space_id, "participant");
          const id = await submit(app, tx, {
            space,
            ladder,
            userId: user.id,
            agentName: request.agent,
            bundle: request.bundle,
          });
          note.subject = id;
          note.spaceId = space.id;
          return {
            submission: submissionMessage(await selectSubmissions(tx).where("s.id", "=", id).executeTakeFirstOrThrow()),
          };
        },
      );
    },

    async getSubmission(request, context) {
      return { submission: submissionMessage(await ownSubmission(db, callerOf(context), request.submissionId)) };
    },

    async listSubmissions(request, context) {
      const caller = callerOf(context);
      const { space } = await requireSpace(db, caller, request.space, request.all ? "organiser" : "participant");
      const wanted = pageWanted(request.page, 1);
      let query = selectSubmissions(db).where("s.space_id", "=", space.id);
      if (!request.all) query = query.where("s.owner_id", "=", requireUser(caller).id);
      if (wanted.after !== null) query = query.where(sql<boolean>`s.id < ${String(wanted.after[0])}::uuid`);
      const found = await query
        .orderBy("s.id", "desc")
        .limit(wanted.size + 1)
        .execute();
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.id]);
      return { submissions: rows.map(submissionMessage), nextPageToken };
    },

    cancelSubmission: (request, context) =>
      mutate(
        app,
        context,
        { input: CancelSubmissionRequestSchema, output: CancelSubmissionResponseSchema },
        request,
        async (tx, note) => {
          const row = await ownSubmission(tx, callerOf(context), request.submissionId);
          note.subject = row.id;
          note.spaceId = row.space_id;
          if (row.state === "validating") await cancelJob(app, tx, row.job_id, "cancelled by its owner");
          else if (row.state !== "cancelled")
            throw new LanistaError("conflict", `the submission is ${row.state}: there is nothing to cancel`, {
              hint: "An agent is taken off the ladder by withdrawing it.",
            });
          return { submission: submissionMessage(await ownSubmission(tx, callerOf(context), row.id)) };
        },
      ),
  };
}
