/** The bundles that grade a task: handed in, checked by a worker, and one of those found good in use. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import { TaskFormat, TaskVersion_State, type TaskVersionSchema } from "@lanista/api/gen/lanista/v1/tasks_pb";
import type { Selectable } from "kysely";
import { v7 as uuid } from "uuid";
import { recordBundle } from "../agents/bundles.ts";
import { uploaded } from "../agents/handed.ts";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { TaskVersionsTable } from "../db/types.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { taskCheckResult, taskSummary } from "../jobs/task-payloads.ts";
import { checkNeeds, checkSeconds, overOf } from "./needs.ts";
import { settingsOf } from "./settings.ts";
import type { TaskRow } from "./tasks.ts";

export type TaskVersionRow = Selectable<TaskVersionsTable>;

const STATES = {
  checking: TaskVersion_State.CHECKING,
  ready: TaskVersion_State.READY,
  refused: TaskVersion_State.REFUSED,
  cancelled: TaskVersion_State.CANCELLED,
  failed: TaskVersion_State.FAILED,
} as const;

/** The task's row is locked. Throws LanistaError `not_found`, `conflict` where the upload is none or not finished. */
export async function addTaskVersion(
  app: App,
  tx: Tx,
  task: TaskRow,
  userId: string,
  wanted: { readonly format: TaskFormat; readonly uploadId: string },
): Promise<TaskVersionRow> {
  const format = wanted.format === TaskFormat.AIVLE ? "aivle" : "native";
  const { digest, size } = await uploaded(tx, task.space_id, userId, wanted.uploadId);
  await recordBundle(tx, digest, size);
  const settings = settingsOf(task);
  const job = await enqueue(app, tx, {
    kind: "task_check",
    queue: settings.queue,
    spaceId: task.space_id,
    ownerId: userId,
    fairKey: `task-check:${task.id}`,
    payload: {
      format,
      task: digest,
      tier: settings.tier,
      over: overOf(settings),
      ...(format === "aivle" && settings.split === "require" ? trySplit(task) : {}),
    },
    tier: settings.tier,
    needs: checkNeeds(settings),
    timeoutSeconds: checkSeconds,
  });
  const { last } = await tx
    .selectFrom("task_versions")
    .select((eb) => eb.fn.max("number").as("last"))
    .where("task_id", "=", task.id)
    .executeTakeFirstOrThrow();
  return await tx
    .insertInto("task_versions")
    .values({
      id: uuid(),
      task_id: task.id,
      number: (last ?? 0) + 1,
      format,
      digest,
      size_bytes: size,
      job_id: job.id,
      created_by: userId,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

const trySplit = ({ template_digest }: TaskRow) => ({
  split: "require",
  ...(template_digest === null ? {} : { template: template_digest }),
});

/** The task's row is locked. Throws LanistaError `conflict` unless it was found good. */
export async function putInUse(tx: Tx, version: TaskVersionRow): Promise<void> {
  const found = await tx
    .selectFrom("task_versions")
    .select("state")
    .where("id", "=", version.id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  if (found.state !== "ready")
    throw new LanistaError("conflict", `the version is ${found.state}: only one that was found good grades anybody`, {
      hint: "See what was found: lanista course task versions.",
    });
  await tx.updateTable("task_versions").set({ in_use: false }).where("task_id", "=", version.task_id).execute();
  await tx.updateTable("task_versions").set({ in_use: true }).where("id", "=", version.id).execute();
}

export async function versionInUse(tx: Tx, taskId: string): Promise<TaskVersionRow | undefined> {
  return await tx
    .selectFrom("task_versions")
    .selectAll()
    .where("task_id", "=", taskId)
    .where("in_use", "=", true)
    .executeTakeFirst();
}

export function taskVersionMessage(row: TaskVersionRow): MessageInitShape<typeof TaskVersionSchema> {
  const summary = row.summary === null ? undefined : taskSummary.parse(row.summary);
  const findings = taskCheckResult.shape.findings.parse(row.findings);
  return {
    id: row.id,
    taskId: row.task_id,
    number: row.number,
    format: row.format === "aivle" ? TaskFormat.AIVLE : TaskFormat.NATIVE,
    digest: row.digest,
    sizeBytes: BigInt(row.size_bytes),
    state: STATES[row.state],
    jobId: row.job_id,
    findings: findings.map(({ who, case: id, message }) => ({ who, caseId: id ?? "", message })),
    createdAt: timestampFromDate(row.created_at),
    title: summary?.title ?? "",
    environment: summary?.environment ?? "",
    cases: summary?.cases ?? 0,
    points: summary?.points ?? 0,
  };
}
