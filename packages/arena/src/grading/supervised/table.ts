/** A task's data file, made into rows with bounds on everything. What is wrong with it is its author's: TaskError, with the place. */
import { CsvError, parse as parseCsv } from "csv-parse/sync";
import { TaskError } from "../task-error.ts";
import { readNpy } from "./npy.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Table {
  /** A CSV's first row; null where the file names no columns. */
  readonly columns: readonly string[] | null;
  /** A CSV's row is a list of its cells: a number in a column of numbers, null where one is missing, else a text. */
  readonly rows: readonly Json[];
  /** How many values there are in it, all together. */
  readonly values: number;
}

export const MAX_FILE = 64 * 1024 * 1024;
const MAX_ROWS = 1_000_000;
const MAX_COLUMNS = 10_000;
const MAX_ROW = 512 * 1024;
const MAX_DEPTH = 24;

/** `name`: by its ending the file is a .csv, .json or .npy. */
export function readTable(name: string, bytes: Buffer): Table {
  if (bytes.length > MAX_FILE) throw new TaskError(`${name}: is over ${MAX_FILE} bytes`);
  const ending = /(\.[a-z]+)"?$/i.exec(name)?.[1]?.toLowerCase();
  const table =
    ending === ".csv"
      ? csv(name, bytes)
      : ending === ".json"
        ? json(name, bytes)
        : ending === ".npy"
          ? readNpy(name, bytes)
          : undefined;
  if (table === undefined) throw new TaskError(`${name}: is no data file that can be read: .csv, .json and .npy can`);
  if (table.rows.length === 0) throw new TaskError(`${name}: has no rows`);
  if (table.rows.length > MAX_ROWS) throw new TaskError(`${name}: has over ${MAX_ROWS} rows`);
  return table;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const MISSING = new Set(["", "nan", "NaN", "NA", "null"]);

function csv(name: string, bytes: Buffer): Table {
  let records: string[][];
  try {
    records = parseCsv(bytes, {
      bom: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      skip_empty_lines: true,
      trim: true,
      max_record_size: MAX_ROW,
    });
  } catch (error) {
    if (error instanceof CsvError) throw new TaskError(`${name}: ${error.message}`);
    throw error;
  }
  const [columns = [], ...rows] = records;
  if (columns.length > MAX_COLUMNS) throw new TaskError(`${name}: has over ${MAX_COLUMNS} columns`);
  const numeric = columns.map((_, at) => {
    const told = rows.filter((row) => !MISSING.has(row[at]!));
    return told.length > 0 && told.every((row) => NUMBER.test(row[at]!) && Number.isFinite(Number(row[at])));
  });
  const cell = (text: string, at: number): Json => (numeric[at] ? (MISSING.has(text) ? null : Number(text)) : text);
  return { columns, rows: rows.map((row) => row.map(cell)), values: rows.length * columns.length };
}

function json(name: string, bytes: Buffer): Table {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new TaskError(`${name}: is not JSON`);
  }
  if (!Array.isArray(value)) throw new TaskError(`${name}: must be a list of rows`);
  let values = 0;
  const check = (each: unknown, depth: number): void => {
    values++;
    if (depth > MAX_DEPTH) throw new TaskError(`${name}: is nested deeper than ${MAX_DEPTH}`);
    if (typeof each === "number" && !Number.isFinite(each))
      throw new TaskError(`${name}: holds a number that is too large`);
    if (typeof each === "object" && each !== null) for (const inner of Object.values(each)) check(inner, depth + 1);
  };
  for (const row of value) check(row, 0);
  return { columns: null, rows: value, values };
}
