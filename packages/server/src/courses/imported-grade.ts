/** The grade of what was graded elsewhere: as data, of no version and no job of ours. */
import { LanistaError } from "@lanista/api/errors";
import {
  ImportSubmissionRequest_Fault as Fault,
  type ImportSubmissionRequest,
} from "@lanista/api/gen/lanista/v1/grades_pb";
import { v7 as uuid } from "uuid";
import type { Tx } from "../db/database.ts";
import { legacyDocument, legacyPoints } from "../jobs/legacy-document.ts";
import { fullMarks } from "./results.ts";
import type { TaskRow } from "./tasks.ts";

const FAULTS = {
  [Fault.UNSPECIFIED]: { verdict: null, fault: null },
  [Fault.TIME_LIMIT]: { verdict: "TLE", fault: "time" },
  [Fault.MEMORY_LIMIT]: { verdict: "MLE", fault: "memory" },
  [Fault.VRAM_LIMIT]: { verdict: "VLE", fault: "vram" },
  [Fault.RUNTIME_ERROR]: { verdict: "RE", fault: "error" },
} as const;

/**
 * Adds what the request says that it got, unless that is its newest grade, or it was graded here since. The submission's row is
 * locked. Throws LanistaError `conflict` where the task does not say what full marks are.
 */
export async function addImportedGrade(
  tx: Tx,
  task: TaskRow,
  submissionId: string,
  { key, value, fault, notes }: ImportSubmissionRequest,
): Promise<void> {
  if (value === undefined && fault === Fault.UNSPECIFIED) return;
  const row = await tx
    .selectFrom("task_submissions")
    .select(["state", "number", "digest", "grades"])
    .where("id", "=", submissionId)
    .executeTakeFirstOrThrow();
  const newest = await tx
    .selectFrom("task_grades")
    .select(["version_id", "document"])
    .where("submission_id", "=", submissionId)
    .where("number", "=", row.grades)
    .executeTakeFirst();
  if (newest !== undefined && newest.version_id !== null) return;
  const outOf = (await fullMarks(tx, [task])).get(task.id) ?? 0;
  if (outOf === 0)
    throw new LanistaError("conflict", "the task does not say what full marks are, so nothing can be counted", {
      hint: "Set its points.",
    });
  const points = value === undefined ? 0 : legacyPoints(value, outOf);
  const document = documentOf(row, key, { value, fault, notes }, points, outOf);
  if (newest !== undefined && same(newest.document, document)) return;
  const number = row.grades + 1;
  await tx
    .insertInto("task_grades")
    .values({
      id: uuid(),
      submission_id: submissionId,
      number,
      version_id: null,
      job_id: null,
      outcome: value === undefined ? "agent_fault" : "completed",
      points,
      out_of: outOf,
      document: JSON.stringify(document),
    })
    .execute();
  const open = row.state === "waiting" || row.state === "running";
  await tx
    .updateTable("task_submissions")
    .set({ grades: number, points, out_of: outOf, ...(open ? {} : { state: "graded" as const }) })
    .where("id", "=", submissionId)
    .execute();
}

function documentOf(
  { number, digest }: { readonly number: number; readonly digest: string },
  key: string,
  { value, fault, notes }: { value: number | undefined; fault: Fault; notes: string },
  points: number,
  outOf: number,
) {
  const found = FAULTS[fault];
  const outcome =
    value === undefined
      ? { kind: "agent_fault" as const, ...found, detail: null }
      : { kind: "completed" as const, verdict: "OK" as const, fault: null, detail: null };
  const made = { outOf, task: "", agent: { name: `submission ${number}`, digest } };
  const imported = { key, value: value ?? null, verdict: value === undefined ? found.verdict : null, notes };
  return legacyDocument(made, outcome, points, { imported, wallSeconds: 0 });
}

/** Whether both say the same of what it got. */
function same(stored: unknown, made: ReturnType<typeof documentOf>): boolean {
  const { outOf, cases } = stored as typeof made;
  const said = (one: (typeof made.cases)[number] | undefined): string =>
    JSON.stringify([one?.imported.value, one?.imported.verdict, one?.imported.notes]);
  return outOf === made.outOf && said(cases[0]) === said(made.cases[0]);
}
