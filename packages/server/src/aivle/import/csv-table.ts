/** A CSV file as rows of a schema: read within bounds, and refused with file, line and column of whatever is wrong. */
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { LanistaError } from "@lanista/api/errors";
import { CsvError, parse } from "csv-parse/sync";
import type { z } from "zod";

export const MOST_CSV = 64 * 2 ** 20;
const MOST_ROWS = 200_000;
const MOST_RECORD = 2 ** 20;
/** So many things wrong are told at once. */
const MOST_TOLD = 10;

export interface CsvRow<T> {
  readonly line: number;
  readonly value: T;
}

/** What is wrong in a file, to be told together. */
export class CsvProblems {
  readonly #told: string[] = [];

  add(path: string, line: number, column: string, message: string): void {
    this.#told.push(`${basename(path)}, line ${line}${column === "" ? "" : `, column ${column}`}: ${message}`);
  }

  /** Throws LanistaError `invalid` where there are any. */
  check(): void {
    if (this.#told.length === 0) return;
    const more = this.#told.length - MOST_TOLD;
    const lines = [...this.#told.slice(0, MOST_TOLD), ...(more > 0 ? [`and ${more} more`] : [])];
    throw new LanistaError("invalid", lines.join("\n"), { hint: "Nothing was brought over." });
  }
}

/**
 * The rows of a file whose first line names its columns: those of `schema`, in any order; one that may be undefined may be missing.
 * What is wrong in a cell goes to `problems`, and the row is left out. Throws LanistaError `invalid`, also where there is no file.
 */
export async function readCsv<Schema extends z.ZodObject>(
  path: string,
  schema: Schema,
  problems: CsvProblems,
): Promise<readonly CsvRow<z.output<Schema>>[]> {
  const text = await readText(path);
  const known = Object.keys(schema.shape);
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(text, {
      bom: true,
      info: true,
      max_record_size: MOST_RECORD,
      to: MOST_ROWS + 2,
      relax_column_count: true,
    }) as unknown as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw refused(path, `it is no CSV: ${error.message}`);
  }
  const titles = records.shift()?.record.map((title) => title.trim());
  if (titles === undefined) throw refused(path, "it is empty: its first line names the columns");
  checkTitles(path, titles, schema, known);
  if (records.length > MOST_ROWS) throw refused(path, `it has more than ${MOST_ROWS} lines`);
  const rows: CsvRow<z.output<Schema>>[] = [];
  // A record may be several lines long: it is named by its first.
  let line = 2;
  for (const { record, info } of records) {
    const first = line;
    line = info.lines + 1;
    if (record.length === 1 && record[0] === "") continue;
    if (record.length !== titles.length) {
      problems.add(path, first, "", `it has ${record.length} cells, and there are ${titles.length} columns`);
      continue;
    }
    const read = schema.safeParse(Object.fromEntries(titles.map((title, at) => [title, record[at]])));
    if (read.success) rows.push({ line: first, value: read.data });
    else for (const { path: at, message } of read.error.issues) problems.add(path, first, at.join("."), message);
  }
  return rows;
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MOST_CSV) throw refused(path, `it has more than ${MOST_CSV} bytes`);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof LanistaError) throw error;
    throw refused(path, error instanceof TypeError ? "it is no UTF-8" : (error as Error).message);
  }
}

function checkTitles(path: string, titles: readonly string[], schema: z.ZodObject, known: readonly string[]): void {
  const unknown = titles.find((title) => !known.includes(title));
  if (unknown !== undefined)
    throw refused(path, `line 1: there is no column "${unknown.slice(0, 40)}"; there are ${known.join(", ")}`);
  if (new Set(titles).size !== titles.length) throw refused(path, "line 1: a column stands there twice");
  const missing = known.find((column) => !titles.includes(column) && !optional(schema, column));
  if (missing !== undefined) throw refused(path, `line 1: the column ${missing} is missing`);
}

const optional = (schema: z.ZodObject, column: string): boolean =>
  (schema.shape[column] as z.ZodType).safeParse(undefined).success;

const refused = (path: string, message: string): LanistaError =>
  new LanistaError("invalid", `${basename(path)}: ${message}`, { hint: "Nothing was brought over." });
