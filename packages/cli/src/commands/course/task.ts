/** `lanista course task`: a course's tasks on a server. `lanista task` is about a task's bundle on this machine. */
import { create } from "@bufbuild/protobuf";
import {
  AgentSplit,
  ListTasksResponseSchema,
  ListTaskVersionsResponseSchema,
  TaskVersion_State as State,
  type Task,
  TaskFormat,
  TaskSchema,
  type TaskVersion,
  TaskVersionSchema,
} from "@lanista/api/gen/lanista/v1/tasks_pb";
import { Command } from "commander";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-code.ts";
import { startProgress } from "../../progress.ts";
import { addRemoteOptions, type RemoteOptions } from "../../remote/options.ts";
import { print, rows } from "../../remote/print.ts";
import { firstOf, remote } from "../../remote/remote.ts";
import { upload } from "../../remote/upload.ts";
import { jobText, timeText } from "../../remote/words.ts";
import { plural, scoreText } from "../../units.ts";
import { UsageError } from "../../usage-error.ts";
import { type Sub, TASK } from "./sub.ts";
import { addSettingOptions, givenSettings, type SettingOptions } from "./task-settings.ts";
import { zipFolder } from "./zip-folder.ts";

interface TaskOptions extends RemoteOptions, SettingOptions {
  readonly title?: string;
  readonly description?: string;
}

interface AddOptions extends RemoteOptions {
  readonly use: boolean;
  readonly aivle?: true;
}

export function courseTask(context: Context): Command {
  const group = new Command("task").description(
    "a course's tasks: make, change, open them, and the bundles that grade",
  );
  const sub: Sub = (name, description, example) =>
    addRemoteOptions(group.command(name))
      .description(description)
      .addHelpText("after", `\nExample:\n  $ lanista course task ${example}`);
  const described = (command: Command): Command =>
    addSettingOptions(
      command.option("--title <title>", "what people read").option("--description <text>", "what is to be done"),
    );

  described(sub("create", "make a task, a draft until it is opened", "create cs1/lake --deadline 2026-05-01T18:00"))
    .argument("<task>", "COURSE/TASK")
    .action(async (name: string, { title, description = "", ...options }: TaskOptions) => {
      const [space = "", slug = "", ...more] = name.split("/");
      if (slug === "" || more.length > 0) throw new UsageError("a new task is named COURSE/TASK");
      const made = { space, slug, title: title ?? slug, description, settings: givenSettings(options) };
      const { task } = await (await remote(context, options)).tasks.createTask(made);
      print(context, options, TaskSchema, task!, () => taskPage(task!));
    });

  described(sub("set", "change a task", "set cs1/lake --late-policy per-day --late-percent 20"))
    .argument("<task>", TASK)
    .action(async (name: string, { title, description, ...options }: TaskOptions) => {
      const client = await remote(context, options);
      const before = (await client.tasks.getTask({ task: name })).task!;
      const { task } = await client.tasks.updateTask({
        taskId: before.id,
        settings: givenSettings(options, before.settings),
        ...(title === undefined ? {} : { title }),
        ...(description === undefined ? {} : { description }),
      });
      print(context, options, TaskSchema, task!, () => taskPage(task!));
    });

  sub("show", "show a task", "show cs1/lake")
    .argument("<task>", TASK)
    .action(async (name: string, options: RemoteOptions) => {
      const { task } = await (await remote(context, options)).tasks.getTask({ task: name });
      print(context, options, TaskSchema, task!, () => taskPage(task!));
    });

  sub("list", "list a course's tasks", "list cs1")
    .argument("<course>", "its short name or id")
    .action(async (space: string, options: RemoteOptions) => {
      const client = await remote(context, options);
      const { items: tasks, nextPageToken } = await firstOf(
        1000,
        (page) => client.tasks.listTasks({ space, page }),
        (answer) => answer.tasks,
      );
      print(context, options, ListTasksResponseSchema, create(ListTasksResponseSchema, { tasks, nextPageToken }), () =>
        rows(
          ["task", "title", "opened", "deadline", "points>", "id"],
          tasks.map((each) => [
            each.slug,
            each.title,
            each.opened ? "yes" : "no",
            timeText(each.extendedUntil ?? each.settings?.deadline),
            scoreText(each.points),
            each.id,
          ]),
          "no tasks",
        ),
      );
    });

  sub("add", "hand in the bundle that grades, wait until it is checked, and use it", "add cs1/lake my-task")
    .argument("<task>", TASK)
    .argument("<bundle>", "a folder or a .zip with a task.yaml (see init task), or of aiVLE's")
    .option("--no-use", "do not use it yet")
    .option("--aivle", "it is a grader of aiVLE's: with a bootstrap.sh")
    .action((name: string, path: string, options: AddOptions) => addVersion(context, name, path, options));

  sub("versions", "list the bundles that were handed in to grade a task", "versions cs1/lake")
    .argument("<task>", TASK)
    .action(async (name: string, options: RemoteOptions) => {
      const client = await remote(context, options);
      const { task } = await client.tasks.getTask({ task: name });
      const { items: versions, nextPageToken } = await firstOf(
        1000,
        (page) => client.tasks.listTaskVersions({ taskId: task!.id, page }),
        (answer) => answer.versions,
      );
      const answer = create(ListTaskVersionsResponseSchema, { versions, nextPageToken });
      print(context, options, ListTaskVersionsResponseSchema, answer, () =>
        versions.length === 0
          ? "no versions"
          : versions.map((each) => `${each.id === task!.versionId ? "* " : "  "}${versionText(each)}`).join("\n"),
      );
    });

  sub("use", "grade by this version from now on", "use 0195…")
    .argument("<version>", "its id, see course task versions")
    .action(async (versionId: string, options: RemoteOptions) => {
      const { task } = await (await remote(context, options)).tasks.useTaskVersion({ versionId });
      print(context, options, TaskSchema, task!, () => taskPage(task!));
    });

  for (const [name, opened, what] of [
    ["open", true, "let a course's members see a task, from its opening on"],
    ["withdraw", false, "make a task a draft again"],
  ] as const)
    sub(name, what, `${name} cs1/lake`)
      .argument("<task>", TASK)
      .action(async (which: string, options: RemoteOptions) => {
        const client = await remote(context, options);
        const before = (await client.tasks.getTask({ task: which })).task!;
        const { task } = await client.tasks.openTask({ taskId: before.id, opened });
        print(context, options, TaskSchema, task!, () => taskPage(task!));
      });

  sub("template", "give students something to begin with", "template cs1/lake my-template")
    .argument("<task>", TASK)
    .argument("<files>", "a folder or a .zip; none: no template")
    .action(async (name: string, path: string, options: RemoteOptions) => {
      const client = await remote(context, options);
      const before = (await client.tasks.getTask({ task: name })).task!;
      const uploadId =
        path === "none" ? undefined : await upload(client, before.spaceId, await zipFolder(path), () => {});
      const { task } = await client.tasks.setTemplate({
        taskId: before.id,
        ...(uploadId === undefined ? {} : { uploadId }),
      });
      print(context, options, TaskSchema, task!, () => taskPage(task!));
    });
  return group;
}

async function addVersion(context: Context, name: string, path: string, options: AddOptions): Promise<void> {
  const client = await remote(context, options);
  const zip = await zipFolder(path);
  const task = (await client.tasks.getTask({ task: name })).task!;
  const progress = startProgress(context.terminal);
  try {
    const uploadId = await upload(client, task.spaceId, zip, (text) => progress.update(text));
    const format = options.aivle ? TaskFormat.AIVLE : TaskFormat.NATIVE;
    const made = (await client.tasks.addTaskVersion({ taskId: task.id, uploadId, format })).version!;
    for await (const { job } of client.jobs.watchJob({ jobId: made.jobId }, { signal: context.signal }))
      progress.update(`check: ${jobText(job!)}`);
    const { versions } = await client.tasks.listTaskVersions({ taskId: task.id });
    const version = versions.find(({ id }) => id === made.id) ?? made;
    if (version.state === State.READY && options.use) await client.tasks.useTaskVersion({ versionId: version.id });
    if (version.state === State.REFUSED) context.exit(EXIT.found);
    if (version.state === State.FAILED) context.exit(EXIT.infraFault);
    progress.end();
    print(context, options, TaskVersionSchema, version, () => versionText(version));
  } finally {
    progress.end();
  }
}

function versionText({ number, id, state, title, cases, points, environment, findings }: TaskVersion): string {
  const what = title === "" ? "" : `: ${title}, ${environment}, ${plural(cases, "case")}, ${scoreText(points)} points`;
  const lines = [`version ${number} (${id}) is ${State[state]?.toLowerCase()}${what}`];
  for (const { who, caseId, message } of findings)
    lines.push(`    ${who}${caseId === "" ? "" : `, ${caseId}`}: ${message}`);
  return lines.join("\n");
}

function taskPage(task: Task): string {
  const { title, slug, id, opened, settings, versionNumber, points, extendedUntil, description } = task;
  return [
    `${title} (${slug}, ${id}): ${opened ? "opened" : "a draft"}, ${scoreText(points)} points, ${versionNumber === 0 ? "no bundle in use" : `graded by version ${versionNumber}`}`,
    `opens ${timeText(settings?.opensAt)}, deadline ${timeText(settings?.deadline)}, closes ${timeText(settings?.closesAt)}`,
    ...(settings?.split === AgentSplit.REQUIRE ? ["agents must be kept apart from their grader"] : []),
    ...(extendedUntil === undefined ? [] : [`your own deadline: ${timeText(extendedUntil)}`]),
    ...(description === "" ? [] : ["", description]),
  ].join("\n");
}
