/** What was handed in, what it got, and what staff make of that. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  ComparisonSchema,
  GradeSchema,
  ListGradesResponseSchema,
  ListTaskSubmissionsResponseSchema,
  MarkSchema,
  TaskSubmissionSchema,
} from "@lanista/api/gen/lanista/v1/grades_pb";
import { ExtensionSchema } from "@lanista/api/gen/lanista/v1/tasks_pb";
import { Argument } from "commander";
import type { Context } from "../../context.ts";
import { gradeText } from "../../grade-text.ts";
import { integer, moment, number, orNone } from "../../option-values.ts";
import { startProgress } from "../../progress.ts";
import type { RemoteOptions } from "../../remote/options.ts";
import { print, rows } from "../../remote/print.ts";
import { firstOf, remote } from "../../remote/remote.ts";
import { jobText, timeText } from "../../remote/words.ts";
import { painter } from "../../terminal.ts";
import { plural, scoreText } from "../../units.ts";
import { memberId, type Sub, TASK } from "./sub.ts";
import { lateText, stateText, submissionLine } from "./submission-text.ts";

interface ListOptions extends RemoteOptions {
  readonly task?: string;
  readonly all?: true;
  readonly student?: string;
  readonly limit: number;
}

export function courseGrades(context: Context, sub: Sub): void {
  sub("submissions", "list what you handed in; staff: everybody's, with --all", "submissions cs1 --task cs1/lake --all")
    .argument("<course>", "its short name or id")
    .option("--task <task>", `only for this: ${TASK}`)
    .option("--all", "everybody's, for staff")
    .option("--student <student>", "of this student alone, an id or address; for staff")
    .option("--limit <n>", "so many", integer(1, 100_000), 50)
    .action((space: string, options: ListOptions) => listSubmissions(context, space, options));

  sub("grade", "show a submission's grade", "grade 0195…")
    .argument("<submission>", "its id")
    .option("--number <n>", "not the newest but the n-th", integer(1, 1_000_000))
    .action(async (submissionId: string, options: RemoteOptions & { number?: number }) => {
      const client = await remote(context, options);
      const { grade } = await client.grades.getGrade({ submissionId, number: options.number ?? 0 });
      const { terminal } = context;
      print(context, options, GradeSchema, grade!, () =>
        gradeText(JSON.parse(grade!.documentJson), painter(terminal, terminal.stdout)),
      );
    });

  sub("grades", "list all grades that a submission has had", "grades 0195…")
    .argument("<submission>", "its id")
    .action(async (submissionId: string, options: RemoteOptions) => {
      const client = await remote(context, options);
      const { items: grades, nextPageToken } = await firstOf(
        1000,
        (page) => client.grades.listGrades({ submissionId, page }),
        (answer) => answer.grades,
      );
      const answer = create(ListGradesResponseSchema, { grades, nextPageToken });
      print(context, options, ListGradesResponseSchema, answer, () =>
        rows(
          ["number>", "version>", "points>", "of>", "outcome", "at"],
          grades.map((each) => [
            String(each.number),
            String(each.versionNumber),
            scoreText(each.points),
            scoreText(each.outOf),
            each.outcome,
            timeText(each.createdAt),
          ]),
          "no grades",
        ),
      );
    });

  sub("cancel", "take a submission back before it is graded", "cancel 0195…")
    .argument("<submission>", "its id")
    .action(async (submissionId: string, options: RemoteOptions) => {
      const { submission } = await (await remote(context, options)).grades.cancelTaskSubmission({ submissionId });
      print(context, options, TaskSubmissionSchema, submission!, () => submissionLine(submission!));
    });

  sub(
    "mark",
    "give a student points by hand, which then count alone",
    'mark cs1/lake ada@school.edu 12 --note "shown in class"',
  )
    .argument("<task>", TASK)
    .argument("<student>", "an id or address")
    .addArgument(new Argument("<points>", "or none: the grades count again").argParser(orNone(number(1_000_000))))
    .requiredOption("--note <text>", "why; the student reads it")
    .action(async (name: string, who: string, points: number | "none", options: RemoteOptions & { note: string }) => {
      const client = await remote(context, options);
      const task = (await client.tasks.getTask({ task: name })).task!;
      const given = { taskId: task.id, userId: await memberId(client, task.spaceId, who), note: options.note };
      const { mark } = await client.grades.setMark({ ...given, ...(points === "none" ? {} : { points }) });
      print(context, options, MarkSchema, mark!, () =>
        mark!.points === undefined ? "The grades count again." : `${scoreText(mark!.points)} points count.`,
      );
    });

  sub("extend", "give a student a deadline of his own", 'extend cs1/lake ada@school.edu 2026-05-03T18:00 --note "ill"')
    .argument("<task>", TASK)
    .argument("<student>", "an id or address")
    .addArgument(new Argument("<until>", "such as 2026-05-03T18:00; none: everybody's").argParser(orNone(moment)))
    .option("--note <text>", "why")
    .action(async (name: string, who: string, until: Date | "none", options: RemoteOptions & { note?: string }) => {
      const client = await remote(context, options);
      const task = (await client.tasks.getTask({ task: name })).task!;
      const { extension } = await client.tasks.setExtension({
        taskId: task.id,
        userId: await memberId(client, task.spaceId, who),
        note: options.note ?? "",
        ...(until === "none" ? {} : { until: timestampFromDate(until) }),
      });
      print(context, options, ExtensionSchema, extension!, () =>
        extension!.until === undefined
          ? `${extension!.userName}: as everybody`
          : `${extension!.userName}: until ${timeText(extension!.until)}`,
      );
    });

  sub("compare", "ask how alike the students' last submissions are, and wait for it", "compare cs1/lake")
    .argument("<task>", TASK)
    .action((name: string, options: RemoteOptions) => compare(context, name, options));
}

async function listSubmissions(context: Context, space: string, options: ListOptions): Promise<void> {
  const client = await remote(context, options);
  const { task, student } = options;
  const all = options.all === true || student !== undefined;
  const wanted = {
    space,
    all,
    ...(task === undefined ? {} : { taskId: (await client.tasks.getTask({ task })).task!.id }),
    userId: student === undefined ? "" : await memberId(client, space, student),
  };
  const { items: submissions, nextPageToken } = await firstOf(
    options.limit,
    (page) => client.grades.listTaskSubmissions({ ...wanted, page }),
    (answer) => answer.submissions,
  );
  const answer = create(ListTaskSubmissionsResponseSchema, { submissions, nextPageToken });
  print(context, options, ListTaskSubmissionsResponseSchema, answer, () =>
    rows(
      ["submission", "by", "number>", "came", "", "late"],
      submissions.map((each) => [
        each.id,
        each.ownerName,
        String(each.number),
        timeText(each.arrivedAt),
        stateText(each),
        lateText(each),
      ]),
      "nothing was handed in",
    ),
  );
}

async function compare(context: Context, name: string, options: RemoteOptions): Promise<void> {
  const client = await remote(context, options);
  const { task } = await client.tasks.getTask({ task: name });
  const { comparison } = await client.grades.compareSubmissions({ taskId: task!.id });
  const progress = startProgress(context.terminal);
  try {
    const { jobId } = comparison!;
    for await (const { job } of client.jobs.watchJob({ jobId }, { signal: context.signal }))
      progress.update(`comparing: ${jobText(job!)}`);
  } finally {
    progress.end();
  }
  const done = (await client.grades.getComparison({ comparisonId: comparison!.id })).comparison!;
  print(context, options, ComparisonSchema, done, () =>
    [
      rows(
        ["alike>", "shared>", "one", "other", "submissions"],
        done.pairs.map((pair) => [
          `${Math.round(pair.likeness * 100)} %`,
          String(pair.shared),
          pair.nameA,
          pair.nameB,
          `${pair.submissionA} ${pair.submissionB}`,
        ]),
        "no two are alike",
      ),
      `${done.state}: ${plural(done.compared, "submission")} compared; read a pair before you think anything of it`,
      ...done.leftOut.map((why) => `left out: ${why}`),
    ].join("\n"),
  );
}
