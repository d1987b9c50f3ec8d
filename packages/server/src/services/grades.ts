/** GradeService: handing in, grades, marks, results and comparisons. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  CancelTaskSubmissionRequestSchema,
  CancelTaskSubmissionResponseSchema,
  CompareSubmissionsRequestSchema,
  CompareSubmissionsResponseSchema,
  type GradeService,
  HandInRequestSchema,
  HandInResponseSchema,
  ImportSubmissionRequestSchema,
  ImportSubmissionResponseSchema,
  RegradeRequestSchema,
  RegradeResponseSchema,
  SetMarkRequestSchema,
  SetMarkResponseSchema,
  type StudentResultsSchema,
} from "@lanista/api/gen/lanista/v1/grades_pb";
import type { App } from "../app.ts";
import { atLeast, notFound, requireRole, requireSpace, requireUser } from "../auth/access.ts";
import { type Caller, callerOf } from "../auth/caller.ts";
import { askComparison, comparisonMessage } from "../courses/comparisons.ts";
import { requireCourse } from "../courses/course.ts";
import { studentName } from "../courses/extensions.ts";
import { findGrade, gradeMessage, listGrades } from "../courses/grades.ts";
import { handIn } from "../courses/hand-in.ts";
import { importSubmission } from "../courses/import-submission.ts";
import { giveMark, listMarks, markMessage } from "../courses/marks.ts";
import { regradeOne, regradeTask } from "../courses/regrade.ts";
import { results, resultTasks, type StudentOutcome } from "../courses/results.ts";
import {
  listTaskSubmissions,
  ownTaskSubmission,
  placedSubmission,
  taskSubmissionMessage,
} from "../courses/submissions.ts";
import { requireTask, shareTask } from "../courses/tasks.ts";
import type { Db, Tx } from "../db/database.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";

export function gradeService(app: App): ServiceImpl<typeof GradeService> {
  const { db } = app;

  const placed = async (at: Db | Tx, caller: Caller, id: string) => {
    const { submission } = await ownTaskSubmission(at, caller, id);
    return { submission: await placedSubmission(app, at, submission) };
  };

  return {
    handIn: (request, context) =>
      mutate(app, context, { input: HandInRequestSchema, output: HandInResponseSchema }, request, async (tx, note) => {
        const caller = callerOf(context);
        const task = await shareTask(tx, caller, request.taskId, "participant");
        const { space } = await requireSpace(tx, caller, task.space_id, "participant");
        const id = await handIn(app, tx, space, task, requireUser(caller).id, request.bundle);
        note.subject = id;
        note.spaceId = space.id;
        return await placed(tx, caller, id);
      }),

    importSubmission: (request, context) =>
      mutate(
        app,
        context,
        { input: ImportSubmissionRequestSchema, output: ImportSubmissionResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const task = await shareTask(tx, caller, request.taskId, "organiser");
          const { space } = await requireSpace(tx, caller, task.space_id, "organiser");
          const { id, change } = await importSubmission(app, tx, space, task, requireUser(caller).id, request);
          note.subject = id;
          note.spaceId = space.id;
          return { ...(await placed(tx, caller, id)), change };
        },
      ),

    getTaskSubmission: (request, context) => placed(db, callerOf(context), request.submissionId),

    async listTaskSubmissions(request, context) {
      const caller = callerOf(context);
      const least = request.all ? "assistant" : "participant";
      const { space } = await requireCourse(db, caller, request.space, least);
      const wanted = pageWanted(request.page, 1);
      const whose = request.all ? request.userId || undefined : requireUser(caller).id;
      const of = { spaceId: space.id, taskId: request.taskId, ownerId: whose };
      const { rows, nextPageToken } = pageOf(await listTaskSubmissions(db, of, wanted), wanted, (row) => [row.id]);
      return { submissions: rows.map(taskSubmissionMessage), nextPageToken };
    },

    cancelTaskSubmission: (request, context) =>
      mutate(
        app,
        context,
        { input: CancelTaskSubmissionRequestSchema, output: CancelTaskSubmissionResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { submission, role } = await ownTaskSubmission(tx, caller, request.submissionId);
          note.subject = submission.id;
          note.spaceId = submission.space_id;
          const { state, grades } = submission;
          // What is graded again may come out worse: that is not its owner's to stop.
          if (grades > 0 && !atLeast(role, "assistant"))
            throw new LanistaError("conflict", "the submission has a grade: there is nothing to cancel");
          if (state === "waiting" || state === "running")
            await cancelJob(app, tx, submission.job_id!, "cancelled by its owner or by staff");
          else if (state !== "cancelled")
            throw new LanistaError("conflict", `the submission is ${state}: there is nothing to cancel`);
          return await placed(tx, caller, submission.id);
        },
      ),

    async *downloadTaskSubmission(request, context) {
      const { submission } = await ownTaskSubmission(db, callerOf(context), request.submissionId);
      for await (const data of await app.store.open(submission.digest)) yield { data };
    },

    async getGrade(request, context) {
      const { submission, role } = await ownTaskSubmission(db, callerOf(context), request.submissionId);
      const row = await findGrade(db, submission.id, request.number);
      if (row === undefined) throw new LanistaError("conflict", "the submission has no such grade (yet)");
      return { grade: gradeMessage(row, atLeast(role, "assistant") ? "staff" : "student") };
    },

    async listGrades(request, context) {
      const { submission } = await ownTaskSubmission(db, callerOf(context), request.submissionId);
      const wanted = pageWanted(request.page, 1);
      const found = await listGrades(db, submission.id, wanted);
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.number]);
      return { grades: rows.map((row) => gradeMessage(row, "summary")), nextPageToken };
    },

    regrade: (request, context) =>
      mutate(
        app,
        context,
        { input: RegradeRequestSchema, output: RegradeResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const by = requireUser(caller).id;
          if (request.what.case === "submissionId") {
            const { submission } = await ownTaskSubmission(tx, caller, request.what.value);
            await requireRole(tx, caller, submission.space_id, "assistant", "the submission");
            const task = await shareTask(tx, caller, submission.task_id, "assistant");
            note.subject = submission.id;
            note.spaceId = task.space_id;
            await regradeOne(app, tx, task, submission.id, by);
            return { queued: 1, left: 0 };
          }
          const task = await shareTask(tx, caller, request.what.value ?? "", "assistant");
          note.subject = task.id;
          note.spaceId = task.space_id;
          return await regradeTask(app, tx, task, by, request.imported);
        },
      ),

    setMark: (request, context) =>
      mutate(
        app,
        context,
        { input: SetMarkRequestSchema, output: SetMarkResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { task } = await requireTask(tx, caller, request.taskId, "assistant");
          note.subject = `${task.id} ${request.userId}`;
          note.spaceId = task.space_id;
          await studentName(tx, task.space_id, request.userId);
          const whose = { taskId: task.id, userId: request.userId, by: requireUser(caller).id };
          return { mark: markMessage(await giveMark(tx, whose, request.points ?? null, request.note)) };
        },
      ),

    async listMarks(request, context) {
      const { task } = await requireTask(db, callerOf(context), request.taskId, "assistant");
      const wanted = pageWanted(request.page, 1);
      const { rows, nextPageToken } = pageOf(await listMarks(db, task.id, wanted), wanted, (row) => [row.id]);
      return { marks: rows.map(markMessage), nextPageToken };
    },

    async listResults(request, context) {
      const caller = callerOf(context);
      const { space, role } = await requireCourse(db, caller, request.space, request.all ? "assistant" : "participant");
      const wanted = pageWanted(request.page, 1);
      const tasks = await resultTasks(db, space.id, atLeast(role, "assistant"));
      const found = await results(db, space.id, tasks, wanted, request.all ? undefined : requireUser(caller).id);
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.key]);
      return { students: rows.map(resultsMessage), nextPageToken };
    },

    compareSubmissions: (request, context) =>
      mutate(
        app,
        context,
        { input: CompareSubmissionsRequestSchema, output: CompareSubmissionsResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { task } = await requireTask(tx, caller, request.taskId, "assistant");
          const row = await askComparison(app, tx, task, requireUser(caller).id);
          note.subject = row.id;
          note.spaceId = task.space_id;
          return { comparison: await comparisonMessage(tx, row) };
        },
      ),

    async getComparison(request, context) {
      const row = await db
        .selectFrom("task_comparisons")
        .selectAll()
        .where("id", "=", request.comparisonId)
        .executeTakeFirst();
      if (row === undefined) throw notFound("the comparison");
      const { space_id } = await db
        .selectFrom("tasks")
        .select("space_id")
        .where("id", "=", row.task_id)
        .executeTakeFirstOrThrow();
      await requireRole(db, callerOf(context), space_id, "assistant", "the comparison");
      return { comparison: await comparisonMessage(db, row) };
    },
  };
}

function resultsMessage(student: StudentOutcome): MessageInitShape<typeof StudentResultsSchema> {
  const { userId, name, email, group, total, tasks } = student;
  return {
    userId,
    name,
    email,
    group,
    total,
    tasks: tasks.map(({ task, outOf, points, counted, submissions, open, mark, extendedUntil }) => ({
      taskId: task.id,
      taskSlug: task.slug,
      outOf,
      submissions,
      open,
      marked: mark !== null,
      note: mark?.note ?? "",
      ...(points === null ? {} : { points }),
      ...(counted === null
        ? {}
        : {
            earned: counted.earned,
            deductionPercent: counted.deductionPercent,
            lateSeconds: BigInt(counted.lateSeconds),
            submissionId: counted.submissionId,
          }),
      ...(extendedUntil === null ? {} : { extendedUntil: timestampFromDate(extendedUntil) }),
    })),
  };
}
