import { readFile } from "node:fs/promises";
import {
  GradeDocumentError,
  type GradeVerification,
  parseGrade,
  type ToldGrade,
  verifyGrade,
} from "@lanista/arena/grading/verify-grade";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { integer } from "../option-values.ts";
import { unclosedText } from "../outcome-text.ts";
import { addBoxOptions, type BoxOptions } from "../play-options.ts";
import { startProgress } from "../progress.ts";
import { type Paint, painter, printable, writeJson, writeLine } from "../terminal.ts";
import { plural } from "../units.ts";
import { UsageError } from "../usage-error.ts";

interface VerifyOptions extends BoxOptions {
  readonly task: string;
  readonly agent: string;
  readonly concurrency: number;
  readonly json?: true;
}

export function gradeVerifyCommand(context: Context): Command {
  const command = new Command("verify")
    .description("compare a grade with the files it says it came from, and run it again")
    .argument("<grade>", "what grade --json printed")
    .requiredOption("--task <task>", "the task")
    .requiredOption("--agent <agent>", "the agent")
    .option("--concurrency <n>", "cases at a time", integer(1, 1000), 1);
  return addBoxOptions(command)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
Ends with 1 if something differs. Equal seeds give equal values, where agents and judges draw from theirs alone.

Example:
  $ lanista grade my-task submission.zip --json > grade.json
  $ lanista grade verify grade.json --task my-task --agent submission.zip`,
    )
    .action((path: string, options: VerifyOptions) => run(context, path, options));
}

async function run(context: Context, path: string, options: VerifyOptions): Promise<void> {
  const { terminal, signal } = context;
  const { concurrency } = options;
  const told = await read(path);
  const { withGrading } = await import("../grading.ts");
  const progress = startProgress(terminal, "Verifying…");
  let verified: GradeVerification;
  try {
    verified = await withGrading(
      options.task,
      [options.agent],
      options,
      ({ task, agents, boxes, environments, packages }) =>
        verifyGrade(told, {
          task,
          agent: agents[0]!,
          boxes,
          environments,
          packages,
          concurrency,
          signal,
          onProgress: ({ done, total }) => progress.update(`Verifying: ${done} of ${total} cases`),
        }),
      (error) => progress.note(unclosedText(error)),
    );
  } finally {
    progress.end();
  }
  if (!verified.ok) context.exit(signal.aborted ? EXIT.interrupted : exitOf(verified));
  if (options.json) writeJson(terminal, verified);
  else writeLine(terminal, verifiedText(verified, painter(terminal, terminal.stdout)));
}

async function read(path: string): Promise<ToldGrade> {
  try {
    return parseGrade(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof GradeDocumentError) throw new UsageError(`${path} is no grade: ${error.message}`);
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new UsageError(`there is no file ${path}`);
    throw error;
  }
}

/** What ends in a fault of ours now has not been verified, and not been found wrong either. */
function exitOf({ grade }: GradeVerification): typeof EXIT.found | typeof EXIT.infraFault {
  return grade?.outcome.kind === "infra_fault" ? EXIT.infraFault : EXIT.found;
}

function verifiedText({ ok, differences, otherwise, grade }: GradeVerification, paint: Paint): string {
  const lines = differences.map(
    ({ case: id, what, was, is }) =>
      `${id === null ? "" : `${id}: `}${what}: the grade says ${JSON.stringify(was)}, here it is ${JSON.stringify(is)}`,
  );
  if (!ok && grade === null) lines.push("So it was not run again.");
  if (otherwise.length > 0)
    lines.push(
      `${plural(otherwise.length, "case")} went otherwise than then, for the same value: ${otherwise.join(", ")}`,
    );
  const last = ok ? paint("green", "The grade is right.") : paint("red", "The grade could not be verified.");
  return printable([...lines, last].join("\n"));
}
