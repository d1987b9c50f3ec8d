/** Figures for people, as plain text. */
import { type Figure, type Goal, short } from "./figures.ts";

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  ");
  return rows.map((row) => `  ${line(row)}`).join("\n");
}

/** One line for each contestant, with its ratio to the first, which is ours or what ours is measured against. */
export function figureText({ what, unit, values }: Figure): string {
  const entries = Object.entries(values);
  const first = entries[0]?.[1];
  const rows = entries.map(([name, of]) =>
    of === null
      ? [name, "–", "", ""]
      : [
          name,
          short(of.median),
          `${short(of.least)} … ${short(of.greatest)}`,
          first == null || of === first ? "" : `${short(of.median / first.median)}×`,
        ],
  );
  return `${what} (${unit})\n${table([["", "median", "least … greatest", "to the first"], ...rows])}`;
}

export function goalsText(goals: readonly Goal[]): string {
  const rows = goals.map(({ what, bound, is, met }) => [
    what,
    bound,
    is,
    met === null ? "not measured" : met ? "met" : "MISSED",
  ]);
  return `Goals\n${table([["", "bound", "is", ""], ...rows])}`;
}
