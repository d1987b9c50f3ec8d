import { gradeAgent } from "@lanista/arena/grading/grade";
import { type Grade, studentView } from "@lanista/arena/grading/grade-types";
import type { LegacyGrade, LegacySplit } from "@lanista/arena/legacy/types";
import { Command, Option } from "commander";
import type { Context } from "../context.ts";
import { gradeText } from "../grade-text.ts";
import { legacyText } from "../legacy-text.ts";
import { integer, listed, seconds } from "../option-values.ts";
import { EXIT_OF, outcomeExit, unclosedText } from "../outcome-text.ts";
import { addBoxOptions, type BoxOptions } from "../play-options.ts";
import { startProgress } from "../progress.ts";
import { oneLine, painter, writeJson, writeLine } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { gradeVerifyCommand } from "./grade-verify.ts";

interface GradeOptions extends BoxOptions {
  readonly timeLimit?: number;
  readonly ramLimit?: number;
  readonly split?: LegacySplit;
  readonly case?: readonly string[];
  readonly concurrency: number;
  readonly replays?: string;
  readonly asStudent?: true;
  readonly json?: true;
}

export function gradeCommand(context: Context): Command {
  const command = new Command("grade")
    .description(
      "grade an agent by a task, or by one of aiVLE's graders as it is, each program in a sandbox of its own",
    )
    .argument("<task>", "a folder or a .zip with a task.yaml, see init task; or with aiVLE's bootstrap.sh")
    .argument("<agent>", "a file, a folder or a .zip")
    .option("--case <ids>", "only these cases, with commas between them", listed)
    .option("--concurrency <n>", "cases at a time", integer(1, 1000), 1)
    .option("--replays <dir>", "write each case's replay and the agent's log into this folder")
    .option("--as-student", "show what the student may see: of hidden cases only how they went")
    .option("--time-limit <seconds>", "aiVLE: of bootstrap.sh; 0 for none (default: 60)", seconds(0, 86_400))
    .option("--ram-limit <MiB>", "aiVLE: of each process; 0 for none (default: 0)", integer(0, 1_048_576))
    .addOption(
      new Option(
        "--split <when>",
        "aiVLE: a sandbox of its own for the agent where that can be (prefer, the default), or else no result, or never",
      ).choices(["prefer", "require", "never"]),
    );
  return addBoxOptions(command.addCommand(gradeVerifyCommand(context)))
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
Ends with 0 if every case was played to its end, 3 if the agent was at fault in one, 4 if the fault is ours or the task's:
then there are no points.

A pair of aiVLE's zips is graded as they are: with --json, "site" is what aiVLE's site would have been sent, "grade" is ours,
which says whether the agent had a sandbox of its own ("split"), so that it cannot have written its own result.

Examples:
  $ lanista grade my-task submission.zip --replays graded
  $ lanista grade grader.zip agent.zip --time-limit 60 --ram-limit 512`,
    )
    .action(async (task: string, agent: string, options: GradeOptions) => {
      // Brings what reads bundles, which no other command has to wait for.
      const { isLegacyGrader } = await import("@lanista/arena/legacy/recognise");
      const legacy = await isLegacyGrader(task);
      refuseForeign(options, legacy);
      await (legacy ? gradeAivle(context, task, agent, options) : grade(context, task, agent, options));
    });
}

/** Throws UsageError on an option that means nothing for this kind of task. */
function refuseForeign(options: GradeOptions, legacy: boolean): void {
  const foreign = legacy
    ? ({ case: "--case", replays: "--replays", asStudent: "--as-student" } as const)
    : ({ timeLimit: "--time-limit", ramLimit: "--ram-limit", split: "--split" } as const);
  for (const [name, flag] of Object.entries(foreign))
    if (options[name as keyof GradeOptions] !== undefined)
      throw new UsageError(
        legacy
          ? `${flag} is for tasks with a task.yaml, and this is one of aiVLE's graders`
          : `${flag} is for aiVLE's graders: a task says its limits in task.yaml`,
      );
}

async function gradeAivle(context: Context, path: string, agent: string, options: GradeOptions): Promise<void> {
  const { terminal, signal } = context;
  const { gradeLegacy } = await import("../legacy-grading.ts");
  const progress = startProgress(terminal, "Grading…");
  const phases = {
    packages: "Getting the packages of requirements.txt…",
    running: "Grading…",
    again: "Grading again, in one sandbox…",
    reading: "Reading the result…",
  } as const;
  let result: LegacyGrade;
  try {
    const { timeLimit = 60, ramLimit = 0, split = "prefer" } = options;
    result = await gradeLegacy(
      path,
      agent,
      { ...options, timeLimit, ramLimit, split },
      {
        signal,
        onProgress: ({ phase }) => progress.update(phases[phase]),
        onBuild: (line) => progress.update(`Packages: ${oneLine(line)}`),
        onUnclosed: (error) => progress.note(unclosedText(error)),
      },
    );
  } finally {
    progress.end();
  }
  context.exit(EXIT_OF[result.grade.outcome.kind]);
  if (options.json) writeJson(terminal, result);
  else writeLine(terminal, legacyText(result, painter(terminal, terminal.stdout)));
}

async function grade(context: Context, path: string, agentPath: string, options: GradeOptions): Promise<void> {
  const { terminal, signal } = context;
  const { concurrency, replays, case: only } = options;
  // Brings what reads manifests, which no other command has to wait for.
  const { withGrading } = await import("../grading.ts");
  const progress = startProgress(terminal, "Grading…");
  let result: Grade;
  try {
    result = await withGrading(
      path,
      [agentPath],
      options,
      ({ task, agents, boxes, environments, packages }) => {
        const ids = task.cases.map(({ id }) => id);
        for (const id of only ?? [])
          if (!ids.includes(id)) throw new UsageError(`the task has no case "${id}"; it has ${ids.join(", ")}`);
        progress.update(`Grading: 0 of ${(only ?? ids).length} cases`);
        return gradeAgent({
          task,
          agent: agents[0]!,
          boxes,
          environments,
          packages,
          concurrency,
          ...(only === undefined ? {} : { only }),
          ...(replays === undefined ? {} : { replays }),
          signal,
          onProgress: ({ done, total }) => progress.update(`Grading: ${done} of ${total} cases`),
        });
      },
      (error) => progress.note(unclosedText(error)),
    );
  } finally {
    progress.end();
  }
  context.exit(outcomeExit(result));
  const shown = options.asStudent ? studentView(result) : result;
  if (options.json) writeJson(terminal, shown);
  else writeLine(terminal, gradeText(shown, painter(terminal, terminal.stdout)));
}
