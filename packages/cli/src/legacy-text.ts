/** The grade of one of aiVLE's bundle pairs, for people. What a bundle or an agent wrote is made printable. */
import type { LegacyCase, LegacyGrade } from "@lanista/arena/legacy/types";
import { type Column, table } from "./table.ts";
import { oneLine, type Paint, printable } from "./terminal.ts";
import { plural, scoreText, secondsText } from "./units.ts";

const COLUMNS: readonly Column[] = [
  { title: "case" },
  { title: "measured" },
  { title: "value", align: "right" },
  { title: "error" },
];
const SHOWN_LOG_LINES = 20;

export function legacyText({ site, grade }: LegacyGrade, paint: Paint): string {
  const facts = [
    "aiVLE bundles",
    grade.split ? "agent in a sandbox of its own" : `not split: ${oneLine(grade.whyNotSplit ?? "")}`,
    plural(grade.calls, "call"),
    secondsText(grade.wallSeconds),
  ];
  const parts = [
    `${paint("bold", oneLine(grade.grader.name))}: ${oneLine(grade.agent.name)}`,
    paint("dim", facts.join(" · ")),
  ];
  if (grade.packagesNote !== null) parts.push(paint("dim", oneLine(grade.packagesNote)));
  if (grade.cases.length > 0) parts.push(table(COLUMNS, grade.cases.map(row)));
  const { verdict, detail, where, kind } = grade.outcome;
  if (kind !== "completed") {
    const by = where === null ? "" : `, in the ${where}`;
    parts.push(
      printable(`${paint("red", verdict ?? kind)}${by}: ${(detail ?? kind).trim().replaceAll("\n", "\n    ")}`),
    );
  }
  if (!site.ok && site.raw_log.trim() !== "") parts.push(paint("dim", printable(tail(site.raw_log))));
  parts.push(paint("bold", lastLine(grade.value, site.ok)));
  return parts.join("\n\n");
}

const row = ({ caseId, name, value, error }: LegacyCase): string[] => [
  oneLine(String(caseId ?? "–")),
  oneLine(name ?? ""),
  scoreText(value),
  oneLine(error ?? ""),
];

const tail = (log: string): string => log.trimEnd().split("\n").slice(-SHOWN_LOG_LINES).join("\n");

function lastLine(value: number | null, ok: boolean): string {
  if (!ok) return "No score: aiVLE would store an error.";
  return value === null ? "No score: the result has none." : `Score ${scoreText(value)}`;
}
