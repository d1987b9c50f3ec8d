/** Asks for a grading, of a submission that is new or is graded again. */
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import { enqueue } from "../jobs/enqueue.ts";
import type { JobRow } from "../jobs/kinds.ts";
import { taskSummary } from "../jobs/task-payloads.ts";
import { gradingNeeds, gradingSeconds, overOf } from "./needs.ts";
import { settingsOf } from "./settings.ts";
import type { TaskVersionRow } from "./task-versions.ts";
import type { TaskRow } from "./tasks.ts";

export interface GradingRequest {
  readonly task: TaskRow;
  readonly version: TaskVersionRow;
  readonly digest: string;
  /** Of the submission, for its name in the grade. */
  readonly number: number;
  /** Whose job it is: he may watch and cancel it. */
  readonly ownerId: string;
  readonly fairKey: string;
}

export async function enqueueGrading(app: App, tx: Tx, request: GradingRequest): Promise<JobRow> {
  const { task, version, digest, number, ownerId, fairKey } = request;
  const settings = settingsOf(task);
  const summary = taskSummary.parse(version.summary);
  return await enqueue(app, tx, {
    kind: "grade",
    queue: settings.queue,
    spaceId: task.space_id,
    ownerId,
    fairKey,
    payload: {
      format: version.format,
      versionId: version.id,
      task: version.digest,
      agent: digest,
      name: `submission ${number}`,
      tier: settings.tier,
      over: overOf(settings),
      ...(version.format === "aivle" && settings.points > 0 ? { points: settings.points } : {}),
      ...(version.format === "aivle" && settings.split === "require" ? { split: settings.split } : {}),
    },
    tier: settings.tier,
    needs: gradingNeeds(summary, settings),
    timeoutSeconds: gradingSeconds(summary, settings),
  });
}
