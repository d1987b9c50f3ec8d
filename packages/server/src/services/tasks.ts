/** TaskService: a course's tasks, the bundles that grade them, templates and extensions. */
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  AddTaskVersionRequestSchema,
  AddTaskVersionResponseSchema,
  CreateTaskRequestSchema,
  CreateTaskResponseSchema,
  OpenTaskRequestSchema,
  OpenTaskResponseSchema,
  SetExtensionRequestSchema,
  SetExtensionResponseSchema,
  SetTemplateRequestSchema,
  SetTemplateResponseSchema,
  type TaskService,
  UpdateTaskRequestSchema,
  UpdateTaskResponseSchema,
  UseTaskVersionRequestSchema,
  UseTaskVersionResponseSchema,
} from "@lanista/api/gen/lanista/v1/tasks_pb";
import { v7 as uuid } from "uuid";
import { recordBundle } from "../agents/bundles.ts";
import { uploaded } from "../agents/handed.ts";
import type { App } from "../app.ts";
import { atLeast, notFound, requireRole, requireUser } from "../auth/access.ts";
import { type Caller, callerOf } from "../auth/caller.ts";
import { requireCourse } from "../courses/course.ts";
import { listExtensions, removeExtension, setExtension } from "../courses/extensions.ts";
import { recountLateness } from "../courses/lateness.ts";
import { settingsFrom, settingsOf } from "../courses/settings.ts";
import {
  addTaskVersion,
  putInUse,
  type TaskVersionRow,
  taskVersionMessage,
  versionInUse,
} from "../courses/task-versions.ts";
import { checkTaskQueue, listTasks, lockTask, requireTask, taskMessages } from "../courses/tasks.ts";
import type { Db, Tx } from "../db/database.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";

export function taskService(app: App): ServiceImpl<typeof TaskService> {
  const { db } = app;

  const taskMessage = async (at: Db | Tx, caller: Caller, id: string) => {
    const { task } = await requireTask(at, caller, id, "guest");
    const [message] = await taskMessages(at, [task], caller.user?.id ?? "");
    return { task: message! };
  };
  const version = async (at: Db | Tx, caller: Caller, id: string, least: "assistant" | "organiser") => {
    const row = await at
      .selectFrom("task_versions as v")
      .innerJoin("tasks as t", "t.id", "v.task_id")
      .selectAll("v")
      .select("t.space_id")
      .where("v.id", "=", id)
      .executeTakeFirst();
    if (row === undefined) throw notFound("the version");
    await requireRole(at, caller, row.space_id, least, "the version");
    return row;
  };

  return {
    createTask: (request, context) =>
      mutate(
        app,
        context,
        { input: CreateTaskRequestSchema, output: CreateTaskResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { space } = await requireCourse(tx, caller, request.space, "organiser");
          const { times, settings } = settingsFrom(request.settings);
          await checkTaskQueue(tx, settings.queue, space.id);
          const { slug, title, description, importKey } = request;
          const row = await tx
            .insertInto("tasks")
            .values({
              id: uuid(),
              space_id: space.id,
              slug,
              title,
              description,
              ...times,
              settings: JSON.stringify(settings),
              template_digest: null,
              import_key: importKey || null,
            })
            .onConflict((conflict) => conflict.doNothing())
            .returning("id")
            .executeTakeFirst();
          if (row === undefined)
            throw new LanistaError("exists", `the course has a task "${slug}", or one of this key, already`, {
              field: "slug",
            });
          note.subject = row.id;
          note.spaceId = space.id;
          return await taskMessage(tx, caller, row.id);
        },
      ),

    getTask: (request, context) => taskMessage(db, callerOf(context), request.task),

    async listTasks(request, context) {
      const caller = callerOf(context);
      const { space, role } = await requireCourse(db, caller, request.space, "guest");
      const wanted = pageWanted(request.page, 1);
      const found = await listTasks(db, space.id, atLeast(role, "assistant"), wanted);
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.slug]);
      return { tasks: await taskMessages(db, rows, caller.user?.id ?? ""), nextPageToken };
    },

    updateTask: (request, context) =>
      mutate(
        app,
        context,
        { input: UpdateTaskRequestSchema, output: UpdateTaskResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const task = await lockTask(tx, caller, request.taskId, "organiser");
          note.subject = task.id;
          note.spaceId = task.space_id;
          const { title = task.title, description = task.description } = request;
          await tx.updateTable("tasks").set({ title, description }).where("id", "=", task.id).execute();
          if (request.settings !== undefined) {
            const { times, settings } = settingsFrom(request.settings);
            await checkTaskQueue(tx, settings.queue, task.space_id);
            await tx
              .updateTable("tasks")
              .set({ ...times, settings: JSON.stringify(settings) })
              .where("id", "=", task.id)
              .execute();
            await recountLateness(tx, task.id, settings.graceMinutes);
          }
          return await taskMessage(tx, caller, task.id);
        },
      ),

    addTaskVersion: (request, context) =>
      mutate(
        app,
        context,
        { input: AddTaskVersionRequestSchema, output: AddTaskVersionResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const task = await lockTask(tx, caller, request.taskId, "organiser");
          const row = await addTaskVersion(app, tx, task, requireUser(caller).id, request);
          note.subject = row.id;
          note.spaceId = task.space_id;
          return { version: taskVersionMessage(row) };
        },
      ),

    async listTaskVersions(request, context) {
      const { task } = await requireTask(db, callerOf(context), request.taskId, "assistant");
      const wanted = pageWanted(request.page, 1);
      let query = db.selectFrom("task_versions").selectAll().where("task_id", "=", task.id);
      if (wanted.after !== null) query = query.where("number", "<", Number(wanted.after[0]));
      const found: TaskVersionRow[] = await query
        .orderBy("number", "desc")
        .limit(wanted.size + 1)
        .execute();
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.number]);
      return { versions: rows.map(taskVersionMessage), nextPageToken };
    },

    useTaskVersion: (request, context) =>
      mutate(
        app,
        context,
        { input: UseTaskVersionRequestSchema, output: UseTaskVersionResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const row = await version(tx, caller, request.versionId, "organiser");
          const task = await lockTask(tx, caller, row.task_id, "organiser");
          note.subject = row.id;
          note.spaceId = task.space_id;
          await putInUse(tx, row);
          return await taskMessage(tx, caller, task.id);
        },
      ),

    async *downloadTaskVersion(request, context) {
      const { digest } = await version(db, callerOf(context), request.versionId, "assistant");
      for await (const data of await app.store.open(digest)) yield { data };
    },

    openTask: (request, context) =>
      mutate(
        app,
        context,
        { input: OpenTaskRequestSchema, output: OpenTaskResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const task = await lockTask(tx, caller, request.taskId, "organiser");
          note.subject = task.id;
          note.spaceId = task.space_id;
          if (request.opened && (await versionInUse(tx, task.id)) === undefined)
            throw new LanistaError("conflict", "the task has no bundle in use that could grade anybody", {
              hint: "Add a version, let it be checked, and use it; then open the task.",
            });
          await tx.updateTable("tasks").set({ opened: request.opened }).where("id", "=", task.id).execute();
          return await taskMessage(tx, caller, task.id);
        },
      ),

    setTemplate: (request, context) =>
      mutate(
        app,
        context,
        { input: SetTemplateRequestSchema, output: SetTemplateResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const task = await lockTask(tx, caller, request.taskId, "organiser");
          note.subject = task.id;
          note.spaceId = task.space_id;
          let template: string | null = null;
          if (request.uploadId !== undefined) {
            const { digest, size } = await uploaded(tx, task.space_id, requireUser(caller).id, request.uploadId);
            await recordBundle(tx, digest, size);
            template = digest;
          }
          await tx.updateTable("tasks").set({ template_digest: template }).where("id", "=", task.id).execute();
          return await taskMessage(tx, caller, task.id);
        },
      ),

    async *downloadTemplate(request, context) {
      const { task } = await requireTask(db, callerOf(context), request.taskId, "guest");
      if (task.template_digest === null) throw new LanistaError("conflict", "the task has no template");
      for await (const data of await app.store.open(task.template_digest)) yield { data };
    },

    setExtension: (request, context) =>
      mutate(
        app,
        context,
        { input: SetExtensionRequestSchema, output: SetExtensionResponseSchema },
        request,
        async (tx, note) => {
          const task = await lockTask(tx, callerOf(context), request.taskId, "assistant");
          note.subject = `${task.id} ${request.userId}`;
          note.spaceId = task.space_id;
          const whom = { taskId: task.id, userId: request.userId };
          const row =
            request.until === undefined
              ? await removeExtension(tx, task, request.userId)
              : await setExtension(tx, task, request.userId, timestampDate(request.until), request.note);
          await recountLateness(tx, task.id, settingsOf(task).graceMinutes, request.userId);
          return {
            extension: {
              ...whom,
              userName: row.user_name,
              note: row.note,
              ...(row.until === null ? {} : { until: timestampFromDate(row.until) }),
            },
          };
        },
      ),

    async listExtensions(request, context) {
      const { task } = await requireTask(db, callerOf(context), request.taskId, "assistant");
      const wanted = pageWanted(request.page, 1);
      const { rows, nextPageToken } = pageOf(await listExtensions(db, task.id, wanted), wanted, (row) => [row.user_id]);
      return {
        extensions: rows.map((row) => ({
          taskId: task.id,
          userId: row.user_id,
          userName: row.user_name,
          until: timestampFromDate(row.until),
          note: row.note,
        })),
        nextPageToken,
      };
    },
  };
}
