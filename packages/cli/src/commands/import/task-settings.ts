/** A task of aiVLE's as one of ours: its settings, and what of them is not quite the same here. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LatePolicy, TaskCounts, type TaskSettings, TaskSettingsSchema } from "@lanista/api/gen/lanista/v1/tasks_pb";
import type { OldSubmission, OldTask } from "@lanista/server/aivle/import/old-course";
import { MIB } from "./bringing.ts";

const DAY_SECONDS = 86_400;
const LEAST_MIB = 16;
/** The queue of the site's whose workers have GPUs. Every task has a bound on their memory, also those that use none. */
const GPU_QUEUE = "gpu";
const MOST_MIB = 2 ** 20;
/** What a grader's value counts up to, where nobody says otherwise. */
const POINTS = 100;

/** Full marks: what was asked for, else 100 or, if that is more, what the best has. */
export function pointsOf(submissions: readonly OldSubmission[], wanted: number | undefined): number {
  const most = submissions.reduce((best, { point }) => Math.max(best, point ?? 0), POINTS);
  return wanted ?? Math.min(1e6, Math.ceil(most));
}

export function settingsOf(task: OldTask, points: number, note: (text: string) => void): TaskSettings {
  const onGpu = task.queue === GPU_QUEUE;
  const settings = create(TaskSettingsSchema, {
    // There nothing is taken after the deadline; of what is there the one that was marked counts, by itself the best.
    latePolicy: task.deadline === null ? LatePolicy.NONE : LatePolicy.REFUSE,
    counts: TaskCounts.BEST,
    points,
    caseSeconds: bounded(task.runSeconds, 1, DAY_SECONDS),
    memoryBytes: BigInt(bounded(task.ramMib, LEAST_MIB, MOST_MIB) * MIB),
    gpus: onGpu ? 1 : 0,
    vramBytes: onGpu ? BigInt(bounded(task.vramMib, 1, MOST_MIB) * MIB) : 0n,
    maxBytes: BigInt(Math.max(0, task.maxUploadKib) * 1024),
    dailyLimit: Math.min(100_000, Math.max(1, task.dailyLimit)),
  });
  if (task.dailyLimit < 1) note("nobody could hand in there (daily limit 0); here it is once a day");
  if (onGpu) note("it was graded in the queue gpu there; here each of its gradings is given one GPU of a worker");
  if (task.ramMib > 0 && task.ramMib < LEAST_MIB)
    note(`${task.ramMib} MiB of memory there, ${LEAST_MIB} here: the least`);
  const { opened, deadline, closed } = task;
  if (deadline !== null) settings.deadline = timestampFromDate(deadline);
  if (opened !== null && deadline !== null && opened >= deadline)
    note("it opened after its deadline there; here it has no opening");
  else if (opened !== null) settings.opensAt = timestampFromDate(opened);
  if (closed !== null && deadline !== null && closed < deadline)
    note("it closed before its deadline there, and took things until that; here it has no closing");
  else if (closed !== null) settings.closesAt = timestampFromDate(closed);
  return settings;
}

/** 0 where there is no limit. */
const bounded = (value: number, least: number, most: number): number =>
  value <= 0 ? 0 : Math.min(most, Math.max(least, value));

/** `Frozen Lake: part 2` → `frozen-lake-part-2`; another than those that are taken. */
export function slugOf({ name, id }: OldTask, taken: ReadonlySet<string>): string {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  const first = plain === "" ? `task-${id}` : plain;
  for (let n = 1; ; n++) {
    const slug = n === 1 ? first : n === 2 ? `${first}-${id}` : `${first}-${id}-${n}`;
    if (!taken.has(slug)) return slug;
  }
}
