/** Grades as messages: all of one for staff, and for a student no more than the student's view of it. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { GradeSchema } from "@lanista/api/gen/lanista/v1/grades_pb";
import { type Grade, studentView } from "@lanista/arena/grading/grade-types";
import type { Selectable } from "kysely";
import type { Db, Tx } from "../db/database.ts";
import type { TaskGradesTable } from "../db/types.ts";
import type { PageWanted } from "../rpc/paging.ts";

export type GradeRow = Selectable<TaskGradesTable> & { readonly version_number: number | null };

const select = (db: Db | Tx, submissionId: string) =>
  db
    .selectFrom("task_grades as g")
    .leftJoin("task_versions as v", "v.id", "g.version_id")
    .selectAll("g")
    .select("v.number as version_number")
    .where("g.submission_id", "=", submissionId);

/** `number` 0: the newest. */
export async function findGrade(db: Db | Tx, submissionId: string, number: number): Promise<GradeRow | undefined> {
  const query = select(db, submissionId).orderBy("g.number", "desc").limit(1);
  return await (number === 0 ? query : query.where("g.number", "=", number)).executeTakeFirst();
}

/** Oldest first. One row more than the page has. */
export async function listGrades(db: Db | Tx, submissionId: string, { size, after }: PageWanted): Promise<GradeRow[]> {
  let query = select(db, submissionId);
  if (after !== null) query = query.where("g.number", ">", Number(after[0]));
  return await query
    .orderBy("g.number")
    .limit(size + 1)
    .execute();
}

/** `whole`: with its document, `staff`'s or a student's. */
export function gradeMessage(
  row: GradeRow,
  whole: "summary" | "student" | "staff",
): MessageInitShape<typeof GradeSchema> {
  // It was checked when it was reported, by a schema that says of a grade what this view looks at.
  const document = row.document as Grade;
  const seen = whole === "staff" ? document : studentView(document);
  return {
    id: row.id,
    submissionId: row.submission_id,
    number: row.number,
    versionNumber: row.version_number ?? 0,
    points: row.points,
    outOf: row.out_of,
    createdAt: timestampFromDate(row.created_at),
    documentJson: whole === "summary" ? "" : JSON.stringify(seen),
    outcome: row.outcome,
    imported: row.version_id === null,
  };
}
