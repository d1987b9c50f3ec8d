import { checkTask, type TaskReport } from "@lanista/arena/grading/check-task";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { integer } from "../option-values.ts";
import { unclosedText } from "../outcome-text.ts";
import { addBoxOptions, type BoxOptions } from "../play-options.ts";
import { startProgress } from "../progress.ts";
import { oneLine, type Paint, painter, printable, writeJson, writeLine } from "../terminal.ts";
import { plural, scoreText } from "../units.ts";

interface CheckOptions extends BoxOptions {
  readonly concurrency: number;
  readonly replays?: string;
  readonly json?: true;
}

export function taskCommand(context: Context): Command {
  const task = new Command("task").description("tasks that agents are graded by");
  const check = task
    .command("check")
    .description(
      "prove that a task tells right from wrong: its reference scores full marks; its cheat, and cheats of ours, nothing; nothing hidden can be read",
    )
    .argument("<task>", "a folder or a .zip with a task.yaml, see init task")
    .option("--concurrency <n>", "cases at a time", integer(1, 1000), 1)
    .option("--replays <dir>", "write the replays and logs into this folder");
  addBoxOptions(check)
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nEnds with 1 if something was found.\n\nExample:\n  $ lanista task check my-task")
    .action((path: string, options: CheckOptions) => run(context, path, options));
  return task;
}

async function run(context: Context, path: string, options: CheckOptions): Promise<void> {
  const { terminal, signal } = context;
  const { concurrency, replays } = options;
  // Brings what reads manifests, which no other command has to wait for.
  const { withGrading } = await import("../grading.ts");
  const progress = startProgress(terminal, "Checking…");
  let title = "";
  let report: TaskReport;
  try {
    report = await withGrading(
      path,
      [],
      options,
      ({ task, boxes, environments, packages }) => {
        title = task.manifest.title;
        return checkTask({
          task,
          boxes,
          environments,
          packages,
          concurrency,
          ...(replays === undefined ? {} : { replays }),
          signal,
          onProgress: (what) => progress.update(`Checking: ${what}`),
        });
      },
      (error) => progress.note(unclosedText(error)),
    );
  } finally {
    progress.end();
  }
  if (!report.ok) context.exit(signal.aborted ? EXIT.interrupted : EXIT.found);
  if (options.json) writeJson(terminal, report);
  else writeLine(terminal, reportText(title, report, painter(terminal, terminal.stdout)));
}

/** A finding about the task itself that is not about what it does not name. */
function isOurs(who: string, message: string): boolean {
  return who === "task" && !message.startsWith("names no ");
}

function reportText(title: string, report: TaskReport, paint: Paint): string {
  const { ok, findings, reference, cheat, tried } = report;
  const lines = [paint("bold", oneLine(title)), ""];
  for (const [who, must, grade] of [
    ["reference", "must score full marks", reference],
    ["cheat", "must score nothing", cheat],
  ] as const) {
    const own = findings.filter((finding) => finding.who === who);
    const missing = findings.find((finding) => finding.who === "task" && finding.message.startsWith(`names no ${who}`));
    const good = own.length === 0 && missing === undefined;
    const points = grade === null || grade.points === null ? "" : `: ${scoreText(grade.points)} of ${grade.outOf}`;
    lines.push(`${good ? paint("green", "✓") : paint("red", "✗")} ${who}, which ${must}${points}`);
    if (missing !== undefined) lines.push(`    the task ${missing.message}`);
    for (const { case: id, message } of own)
      lines.push(printable(`    ${id}: ${message.trim().replaceAll("\n", "\n      ")}`));
  }
  const others = findings.filter(({ who, message }) => ["leak", "judge"].includes(who) || isOurs(who, message));
  const cheats = tried.length === 0 ? "" : `, and nothing by ${plural(tried.length, "cheat")} of ours`;
  lines.push(
    others.length === 0
      ? `${paint("green", "✓")} nothing hidden can be read${cheats === "" ? "" : `${cheats} is paid for`}`
      : `${paint("red", "✗")} what can be read${tried.length === 0 ? "" : `, and ${plural(tried.length, "cheat")} of ours`}`,
  );
  for (const { case: id, message } of others)
    lines.push(printable(`    ${id === null ? "" : `${id}: `}${message.trim().replaceAll("\n", "\n      ")}`));
  lines.push(
    "",
    ok
      ? paint("green", "The task tells right from wrong.")
      : paint("red", `The task is not ready: ${plural(findings.length, "finding")}.`),
  );
  return lines.join("\n");
}
