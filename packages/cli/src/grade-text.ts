/** A grade, for people. All of it that a participant or a task's author wrote is made printable. */
import type { CaseGrade, Grade, HiddenCaseGrade, StudentGrade, Verdict } from "@lanista/arena/grading/grade-types";
import { explained, unwrittenText } from "./outcome-text.ts";
import { type Column, table } from "./table.ts";
import { oneLine, type Paint, printable } from "./terminal.ts";
import { plural, scoreText, secondsText } from "./units.ts";

const COLUMNS: readonly Column[] = [
  { title: "case" },
  { title: "verdict" },
  { title: "value", align: "right" },
  { title: "weight", align: "right" },
  { title: "measured", align: "right" },
];

export function gradeText(grade: Grade | StudentGrade, paint: Paint): string {
  const facts = [grade.env ?? KINDS[grade.kind], plural(grade.cases.length, "case"), secondsText(grade.wallSeconds)];
  const rows = grade.cases.map((one) => [
    oneLine(one.title) + (one.hidden ? paint("dim", " (hidden)") : ""),
    verdictText(one, paint),
    one.value === null ? "" : scoreText(one.value),
    scoreText(one.weight),
    "measured" in one && one.measured !== null ? scoreText(one.measured) : "",
  ]);
  const parts = [
    `${paint("bold", oneLine(grade.task.title))}: ${oneLine(grade.agent.name)}`,
    paint("dim", facts.join(" · ")),
    table(COLUMNS, rows),
  ];
  const faults = grade.cases.flatMap((one) => faultText(one));
  if (faults.length > 0) parts.push(faults.join("\n"));
  const said = grade.cases.flatMap((one) => saidText(one));
  if (said.length > 0) parts.push(said.join("\n"));
  if ("unwritten" in grade && grade.unwritten.length > 0) parts.push(paint("red", unwrittenText(grade)));
  parts.push(lastLine(grade, paint));
  return parts.join("\n\n");
}

const KINDS: Readonly<Record<Grade["kind"], string>> = {
  environment: "",
  questions: "questions by a judge",
  supervised: "predictions",
};

const STYLES: Readonly<Record<Verdict, "green" | "red">> = {
  OK: "green",
  TLE: "red",
  MLE: "red",
  VLE: "red",
  RE: "red",
};

function verdictText({ verdict, outcome }: CaseGrade | HiddenCaseGrade, paint: Paint): string {
  if (verdict !== null) return paint(STYLES[verdict], verdict);
  return paint("yellow", outcome === "cancelled" ? "cancelled" : "no verdict");
}

function faultText(one: CaseGrade | HiddenCaseGrade): string[] {
  if (one.fault === null && one.outcome !== "infra_fault") return [];
  const detail = "detail" in one && one.detail !== null ? `\n    ${one.detail.trim().replaceAll("\n", "\n    ")}` : "";
  const what = one.fault === null ? "ended by our fault or the task's" : `${one.fault}: it ${explained(one.fault)}`;
  return [printable(`${oneLine(one.title)}: ${what}.${detail}`)];
}

/** What the task's judge says: to the student, and to whoever grades. */
function saidText(one: CaseGrade | HiddenCaseGrade): string[] {
  if (!("message" in one) || one.outcome !== "completed") return [];
  const indented = (text: string): string => text.trim().replaceAll("\n", "\n    ");
  const parts = [one.message, one.detail === null ? null : `(${one.detail})`].filter((text) => text !== null);
  return parts.length === 0 ? [] : [printable(`${oneLine(one.title)}: ${indented(parts.join(" "))}`)];
}

function lastLine({ points, outOf, outcome }: Grade | StudentGrade, paint: Paint): string {
  if (points !== null) return paint("bold", `${scoreText(points)} of ${scoreText(outOf)} points`);
  return outcome.kind === "cancelled"
    ? "Cancelled: no points were given."
    : "No points: the fault is ours or the task's, and nobody lost by it. A member of staff has to look.";
}
