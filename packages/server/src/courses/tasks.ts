/** Tasks, as rows and as messages. Who is no staff sees those that are opened, from their opening on. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import type { TaskSchema } from "@lanista/api/gen/lanista/v1/tasks_pb";
import { type Selectable, sql } from "kysely";
import { validate as isUuid } from "uuid";
import { atLeast, notFound, type Role, requireRole } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import type { TasksTable } from "../db/types.ts";
import { taskSummary } from "../jobs/task-payloads.ts";
import type { PageWanted } from "../rpc/paging.ts";
import { settingsMessage, settingsOf } from "./settings.ts";

export type TaskRow = Selectable<TasksTable> & { readonly visible: boolean };

const select = (db: Db | Tx) =>
  db
    .selectFrom("tasks as t")
    .selectAll("t")
    .select(sql<boolean>`t.opened AND (t.opens_at IS NULL OR t.opens_at <= now())`.as("visible"));

/** By id or `SPACE/SLUG`, for who has at least this role in its course. Throws LanistaError `not_found`, `forbidden`. */
export async function requireTask(
  db: Db | Tx,
  caller: Caller,
  name: string,
  least: Role,
): Promise<{ task: TaskRow; role: Role }> {
  const [space, slug, ...more] = name.split("/");
  let query = select(db);
  if (isUuid(name)) query = query.where("t.id", "=", name);
  else if (space !== undefined && slug !== undefined && more.length === 0)
    query = query
      .where("t.slug", "=", slug)
      .where("t.space_id", "in", db.selectFrom("spaces").select("id").where("slug", "=", space));
  else throw notFound("the task");
  const task = await query.executeTakeFirst();
  if (task === undefined) throw notFound("the task");
  const role = await requireRole(db, caller, task.space_id, least, "the task");
  if (!task.visible && !atLeast(role, "assistant")) throw notFound("the task");
  return { task, role };
}

/** The same, its row locked until the transaction's end: changes of one task go one after the other. */
export async function lockTask(tx: Tx, caller: Caller, id: string, least: Role): Promise<TaskRow> {
  await requireTask(tx, caller, id, least);
  return await select(tx).where("t.id", "=", id).forNoKeyUpdate().executeTakeFirstOrThrow();
}

/** The same, and nobody changes it until the transaction's end; others may read it so at once. */
export async function shareTask(tx: Tx, caller: Caller, id: string, least: Role): Promise<TaskRow> {
  await requireTask(tx, caller, id, least);
  await tx.selectFrom("tasks").select("id").where("id", "=", id).forShare().execute();
  return (await requireTask(tx, caller, id, least)).task;
}

/** Throws LanistaError `invalid` for a queue that is not there or another space's. */
export async function checkTaskQueue(tx: Tx, name: string, spaceId: string): Promise<void> {
  const queue = await tx.selectFrom("queues").select("space_id").where("name", "=", name).executeTakeFirst();
  if (queue === undefined || (queue.space_id !== null && queue.space_id !== spaceId))
    throw new LanistaError("invalid", `there is no queue "${name}" for this course`, { field: "settings.queue" });
}

/** By slug; drafts for `staff` alone. One row more than the page has. */
export async function listTasks(
  db: Db | Tx,
  spaceId: string,
  staff: boolean,
  { size, after }: PageWanted,
): Promise<TaskRow[]> {
  let query = select(db).where("t.space_id", "=", spaceId);
  if (!staff) query = query.where(sql<boolean>`t.opened AND (t.opens_at IS NULL OR t.opens_at <= now())`);
  if (after !== null) query = query.where("t.slug", ">", String(after[0]));
  return await query
    .orderBy("t.slug")
    .limit(size + 1)
    .execute();
}

/** In the order of the rows, with the extensions of `userId`. */
export async function taskMessages(
  db: Db | Tx,
  rows: readonly TaskRow[],
  userId: string,
): Promise<MessageInitShape<typeof TaskSchema>[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const versions = await db
    .selectFrom("task_versions")
    .selectAll()
    .where("task_id", "in", ids)
    .where("in_use", "=", true)
    .execute();
  const extensions = await db
    .selectFrom("task_extensions")
    .selectAll()
    .where("task_id", "in", ids)
    .where("user_id", "=", userId)
    .execute();
  return rows.map((row) => {
    const version = versions.find(({ task_id }) => task_id === row.id);
    const extension = extensions.find(({ task_id }) => task_id === row.id);
    const settings = settingsOf(row);
    const own = version?.summary == null ? 0 : taskSummary.parse(version.summary).points;
    return {
      id: row.id,
      spaceId: row.space_id,
      slug: row.slug,
      title: row.title,
      description: row.description,
      opened: row.opened,
      settings: settingsMessage(row, settings),
      versionId: version?.id ?? "",
      versionNumber: version?.number ?? 0,
      hasTemplate: row.template_digest !== null,
      createdAt: timestampFromDate(row.created_at),
      ...(extension === undefined ? {} : { extendedUntil: timestampFromDate(extension.until) }),
      points: settings.points || own,
      importKey: row.import_key ?? "",
    };
  });
}
