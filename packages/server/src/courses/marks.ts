/** Points given by hand: a log of them, whose newest entry counts. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { MarkSchema } from "@lanista/api/gen/lanista/v1/grades_pb";
import { type Selectable, sql } from "kysely";
import { v7 as uuid } from "uuid";
import type { Db, Tx } from "../db/database.ts";
import type { TaskMarksTable } from "../db/types.ts";
import type { PageWanted } from "../rpc/paging.ts";

export type MarkRow = Selectable<TaskMarksTable> & { readonly by_name: string };

const select = (db: Db | Tx) =>
  db
    .selectFrom("task_marks as m")
    .innerJoin("user as u", "u.id", "m.given_by")
    .selectAll("m")
    .select("u.name as by_name");

export async function giveMark(
  tx: Tx,
  mark: { readonly taskId: string; readonly userId: string; readonly by: string },
  points: number | null,
  note: string,
): Promise<MarkRow> {
  const id = uuid();
  const { taskId, userId, by } = mark;
  await tx
    .insertInto("task_marks")
    .values({ id, task_id: taskId, user_id: userId, points, note, given_by: by })
    .execute();
  return await select(tx).where("m.id", "=", id).executeTakeFirstOrThrow();
}

/** Newest first. One row more than the page has. */
export async function listMarks(db: Db, taskId: string, { size, after }: PageWanted): Promise<MarkRow[]> {
  let query = select(db).where("m.task_id", "=", taskId);
  if (after !== null) query = query.where(sql<boolean>`m.id < ${String(after[0])}::uuid`);
  return await query
    .orderBy("m.id", "desc")
    .limit(size + 1)
    .execute();
}

export function markMessage(row: MarkRow): MessageInitShape<typeof MarkSchema> {
  return {
    id: row.id,
    taskId: row.task_id,
    userId: row.user_id,
    ...(row.points === null ? {} : { points: row.points }),
    note: row.note,
    byName: row.by_name,
    createdAt: timestampFromDate(row.created_at),
  };
}
