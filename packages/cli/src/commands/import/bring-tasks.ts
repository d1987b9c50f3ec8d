/**
 * The tasks: made as drafts under the source's keys, with grader and template; and, at the end, the graders that were found good put
 * in use. A task that is here already keeps what staff made of it here.
 */
import { LanistaError } from "@lanista/api/errors";
import {
  TaskVersion_State as State,
  type Task,
  TaskFormat,
  type TaskSettings,
  type TaskVersion,
} from "@lanista/api/gen/lanista/v1/tasks_pb";
import type { OldSubmission, OldTask } from "@lanista/server/aivle/import/old-course";
import { pages } from "../../remote/remote.ts";
import { upload } from "../../remote/upload.ts";
import { jobText } from "../../remote/words.ts";
import { isAboutOne } from "./at-server.ts";
import { ask, type Bringing } from "./bringing.ts";
import { pointsOf, settingsOf, slugOf } from "./task-settings.ts";

export async function tasksHere(bringing: Bringing): Promise<Task[]> {
  const { client, space } = bringing;
  const found: Task[] = [];
  for await (const { tasks } of pages((page) => ask(bringing, () => client.tasks.listTasks({ space, page }))))
    found.push(...tasks);
  return found;
}

/** undefined: it would be made. */
export async function bringTask(
  bringing: Bringing,
  old: OldTask,
  submissions: readonly OldSubmission[],
  here: Task[],
): Promise<{
  readonly task: Task | undefined;
  readonly slug: string;
  readonly points: number;
  readonly made: boolean;
}> {
  const { client, space, key, report, wanted } = bringing;
  const importKey = key("task", old.id);
  const there = here.find((task) => task.importKey === importKey);
  if (there !== undefined) return { task: there, slug: there.slug, points: there.points, made: false };
  const note = (text: string): void => report.note(`task ${old.name}: ${text}`);
  const points = pointsOf(submissions, wanted.points);
  const settings = settingsOf(old, points, note);
  const slug = slugOf(old, new Set(here.map((task) => task.slug)));
  if (wanted.dryRun) return { task: undefined, slug, points, made: true };
  const made = { space, slug, title: old.name.slice(0, 200), description: old.description.slice(0, 20_000), importKey };
  if (old.description.length > 20_000) note("of its description 20,000 characters came over");
  const create = (queue: string) =>
    ask(bringing, () => client.tasks.createTask({ ...made, settings: { ...settings, queue } satisfies TaskSettings }));
  const queue = wanted.queue ?? old.queue ?? "";
  const { task } = await create(queue).catch((error: unknown) => {
    const missing = error instanceof LanistaError && error.field === "settings.queue" && wanted.queue === undefined;
    if (!missing) throw error;
    note(`there is no queue "${queue}" for this course here: its gradings wait in the default one`);
    return create("");
  });
  here.push(task!);
  return { task: task!, slug, points, made: true };
}

/** The version to wait for, if there is one. */
export async function bringBundles(bringing: Bringing, old: OldTask, task: Task): Promise<TaskVersion | undefined> {
  const { client, report, source, progress } = bringing;
  const alone = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    progress.update(what);
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LanistaError) || (!isAboutOne(error.code) && error.code !== "forbidden")) throw error;
      report.leave(what, error);
      return undefined;
    }
  };
  const up = (bytes: Buffer): Promise<string> =>
    ask(bringing, () => upload(client, task.spaceId, bytes, (text) => progress.update(text)));
  if (old.hasTemplate && !task.hasTemplate)
    await alone(`template of task ${old.name}`, async () => {
      const uploadId = await up(await source.template(old));
      await ask(bringing, () => client.tasks.setTemplate({ taskId: task.id, uploadId }));
    });
  const { versions } = await ask(bringing, () => client.tasks.listTaskVersions({ taskId: task.id }));
  if (versions.length > 0) return versions[0];
  return await alone(`grader of task ${old.name}`, async () => {
    const uploadId = await up(await source.grader(old));
    const wanted = { taskId: task.id, uploadId, format: TaskFormat.AIVLE };
    return (await ask(bringing, () => client.tasks.addTaskVersion(wanted))).version;
  });
}

/** Puts a grader in use when it was found good, and opens its task if that is wanted. */
export async function useGrader(bringing: Bringing, old: OldTask, task: Task, first: TaskVersion): Promise<void> {
  const { client, context, report, progress, wanted } = bringing;
  const what = `grader of task ${old.name}`;
  let inUse = task.versionId !== "";
  if (!inUse) {
    // Nobody waits for a worker that does not run, such as one with the GPUs that the task is given.
    let missing = "";
    if (wanted.wait && first.state === State.CHECKING) {
      const enough = new AbortController();
      const signal = AbortSignal.any([context.signal, enough.signal]);
      for await (const { job } of client.jobs.watchJob({ jobId: first.jobId }, { signal })) {
        progress.update(`${what}: ${jobText(job!)}`);
        if (job!.wait?.reason !== "no_worker") continue;
        missing = job!.wait.detail;
        break;
      }
      // Leaving the loop alone would leave the stream open, and with it this process.
      enough.abort();
    }
    const { versions } = await ask(bringing, () => client.tasks.listTaskVersions({ taskId: task.id }));
    const version = versions.find(({ id }) => id === first.id) ?? first;
    if (version.state === State.READY) {
      await ask(bringing, () => client.tasks.useTaskVersion({ versionId: version.id }));
      inUse = true;
    } else if (version.state === State.CHECKING)
      report.note(
        missing === ""
          ? `${what}: it is being checked by a worker; import again to use it then`
          : `${what}: no worker can check it (${missing}); import again to use it when one has`,
      );
    else report.leave(what, whyNot(version));
  }
  if (wanted.open && inUse && !task.opened && old.opened !== null)
    await ask(bringing, () => client.tasks.openTask({ taskId: task.id, opened: true }));
}

function whyNot({ state, findings }: TaskVersion): string {
  if (state === State.REFUSED) return `it was refused: ${findings.map(({ message }) => message).join("; ")}`;
  return `its check ${state === State.CANCELLED ? "was cancelled" : "was stopped by a fault of ours"}: see course task versions`;
}
