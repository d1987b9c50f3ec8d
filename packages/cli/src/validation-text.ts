/** A validation's report, for people. All of it that a participant wrote is made printable. */
import {
  CHECKS,
  type CheckName,
  type CheckState,
  type Finding,
  type ValidationReport,
} from "@lanista/arena/validation/report";
import { oneLine, type Paint, printable, type Style } from "./terminal.ts";
import { plural } from "./units.ts";

export const ADVICE = "This is advice and early feedback. What keeps an agent from doing harm is its sandbox alone.";

const WHAT: Readonly<Record<CheckName, string>> = {
  structure: "files, names and sizes",
  syntax: "every source file compiles",
  imports: "what is imported is there, and the policy allows it",
  requirements: "what requirements.txt names is installed",
  dry_run: "it starts, and answers one observation by a legal action",
};

const MARKS: Readonly<Record<CheckState, readonly [mark: string, style: Style]>> = {
  passed: ["✓", "green"],
  warned: ["!", "yellow"],
  failed: ["✗", "red"],
  skipped: ["–", "dim"],
};

export function validationText(path: string, report: ValidationReport, paint: Paint): string {
  const { agent, checks, errors, warnings, interpreter } = report;
  const lines: string[] = [];
  if (agent !== null) {
    const by = interpreter === null ? "" : ` by ${interpreter.name} ${interpreter.version}`;
    lines.push(`${paint("bold", oneLine(agent.name))}: ${oneLine(agent.entry)}${by}, ${agent.digest.slice(0, 12)}`, "");
  }
  for (const check of CHECKS) {
    const [mark, style] = MARKS[checks[check]];
    const skipped = checks[check] === "skipped" ? " (skipped)" : "";
    lines.push(`${paint(style, mark)} ${check.padEnd(12)} ${WHAT[check]}${skipped}`);
  }
  if (errors.length + warnings.length > 0) lines.push("");
  for (const finding of errors) lines.push(findingText(paint("red", "error"), finding));
  for (const finding of warnings) lines.push(findingText(paint("yellow", "warning"), finding));
  const count = `${plural(errors.length, "error")}, ${plural(warnings.length, "warning")}`;
  const name = oneLine(agent?.name ?? path);
  lines.push(
    "",
    report.valid ? paint("green", `${name} is valid: ${count}.`) : paint("red", `${name} is not valid: ${count}.`),
    paint("dim", ADVICE),
  );
  return lines.join("\n");
}

function findingText(severity: string, { file, line, code, message, log }: Finding): string {
  const place = file === undefined ? "" : `${oneLine(file)}${line === undefined ? "" : `:${line}`}: `;
  const text = `${severity} ${place}${indented(message)} [${code}]`;
  // A traceback stands in both.
  return log === undefined || message.includes(log.trim()) ? text : `${text}\n    its log ends:\n    ${indented(log)}`;
}

function indented(text: string): string {
  return printable(text).trim().replaceAll("\n", "\n    ");
}
