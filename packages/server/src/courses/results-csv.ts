/** Results as CSV. A cell that a spreadsheet would take for a formula is written so that it is text. */
import { stringify } from "csv-stringify/sync";
import type { StudentOutcome } from "./results.ts";
import type { TaskRow } from "./tasks.ts";

/** One line a student, with the titles first where `titles`; of each task what counts, what was taken off, and how late it was. */
export function resultsCsv(tasks: readonly TaskRow[], students: readonly StudentOutcome[], titles: boolean): string {
  const head = [
    "name",
    "email",
    "group",
    ...tasks.flatMap(({ slug }) => [
      slug,
      `${slug} earned`,
      `${slug} deduction %`,
      `${slug} late s`,
      `${slug} by hand`,
    ]),
    "total",
  ];
  const lines = students.map(({ name, email, group, tasks: outcomes, total }) => [
    name,
    email,
    group,
    ...outcomes.flatMap(({ points, counted, mark }) => [
      number(points),
      number(counted?.earned ?? null),
      number(counted?.deductionPercent ?? null),
      number(counted?.lateSeconds ?? null),
      mark === null ? "" : "yes",
    ]),
    number(total),
  ]);
  return stringify(titles ? [head, ...lines] : lines, { escape_formulas: true });
}

/** Six digits behind the point, no more than there are. */
const number = (value: number | null): string => (value === null ? "" : String(Number(value.toFixed(6))));
