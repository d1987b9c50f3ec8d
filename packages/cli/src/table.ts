import { stripVTControlCharacters } from "node:util";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/**
 * Lines of columns, two spaces apart, padded by what is seen, not by colour codes. No trailing
 * spaces. A line break or tab in a cell becomes a space: a stranger's name must not write rows of its own.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replace(/[\n\t]/g, " ")));
  const titles = columns.map((column) => column.title);
  const widths = columns.map((_, i) => Math.max(...[titles, ...cells].map((row) => width(row[i] ?? ""))));
  const line = (row: readonly string[]): string =>
    columns
      .map((column, i) => {
        const cell = row[i] ?? "";
        const space = " ".repeat(widths[i]! - width(cell));
        return column.align === "right" ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd();
  return [titles, ...cells].map(line).join("\n");
}

function width(cell: string): number {
  return [...stripVTControlCharacters(cell)].length;
}
