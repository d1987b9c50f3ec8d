import { gradeAgent } from "@lanista/arena/grading/grade";
import { type Grade, studentView } from "@lanista/arena/grading/grade-types";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { gradeText } from "../grade-text.ts";
import { integer, listed } from "../option-values.ts";
import { outcomeExit, unclosedText } from "../outcome-text.ts";
import { addBoxOptions, type BoxOptions } from "../play-options.ts";
import { startProgress } from "../progress.ts";
import { painter, writeJson, writeLine } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { gradeVerifyCommand } from "./grade-verify.ts";

interface GradeOptions extends BoxOptions {
  readonly case?: readonly string[];
  readonly concurrency: number;
  readonly replays?: string;
  readonly asStudent?: true;
  readonly json?: true;
}

export function gradeCommand(context: Context): Command {
  const command = new Command("grade")
    .description("grade an agent by a task: its cases, each in sandboxes of its own")
    .argument("<task>", "a folder or a .zip with a task.yaml, see init task")
    .argument("<agent>", "a file, a folder or a .zip")
    .option("--case <ids>", "only these cases, with commas between them", listed)
    .option("--concurrency <n>", "cases at a time", integer(1, 1000), 1)
    .option("--replays <dir>", "write each case's replay and the agent's log into this folder")
    .option("--as-student", "show what the student may see: of hidden cases only how they went");
  return addBoxOptions(command.addCommand(gradeVerifyCommand(context)))
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
Ends with 0 if every case was played to its end, 3 if the agent was at fault in one, 4 if the fault is ours or the task's:
then there are no points.

Example:
  $ lanista grade my-task submission.zip --replays graded`,
    )
    .action((task: string, agent: string, options: GradeOptions) => grade(context, task, agent, options));
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
