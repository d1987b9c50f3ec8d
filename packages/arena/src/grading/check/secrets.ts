/** What would give a case away where it is written down: a column of labels, a hidden case's seed, what its judge is told. */

import type { Label } from "../supervised/metrics.ts";
import { type Json, readTable } from "../supervised/table.ts";
import type { PreparedTask } from "../task.ts";
import { TaskError } from "../task-error.ts";

export interface Column {
  readonly case: string;
  readonly labels: readonly string[];
}

export interface Secrets {
  readonly columns: readonly Column[];
  readonly texts: readonly { readonly case: string; readonly what: string; readonly text: string }[];
}

/** A run of labels that chance would bring about once in 2^40 times is no chance. */
const TELLING_BITS = 40;
/** Numbers below, and texts shorter, are met everywhere. */
const TELLING_SEED = 100_000;
const TELLING_CHARS = 10;

export function secretsOf({ cases }: PreparedTask): Secrets {
  const columns: Column[] = [];
  const texts: { case: string; what: string; text: string }[] = [];
  for (const one of cases) {
    if (one.kind === "supervised") {
      const labels = one.table.labels.map(String);
      if (bitsOf(labels) >= TELLING_BITS) columns.push({ case: one.id, labels });
    }
    if (!one.hidden) continue;
    if (one.seed >= TELLING_SEED) texts.push({ case: one.id, what: "the seed", text: String(one.seed) });
    if (one.kind === "questions")
      for (const text of tellingTexts(one.data)) texts.push({ case: one.id, what: "what the judge is told", text });
  }
  return { columns, texts };
}

/** How much a column tells, in bits: by its entropy. */
function bitsOf(labels: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return -[...counts.values()].reduce((sum, count) => sum + count * Math.log2(count / labels.length), 0);
}

function* tellingTexts(value: unknown): Generator<string> {
  if (typeof value === "string" && value.length >= TELLING_CHARS) yield value;
  if (typeof value === "number" && String(value).length >= TELLING_CHARS) yield String(value);
  if (typeof value === "object" && value !== null) for (const each of Object.values(value)) yield* tellingTexts(each);
}

/** Whether the file holds the labels in their order: as a column of a table, or one after the other in a text. */
export function holdsColumn(path: string, bytes: Buffer, { labels }: Column): boolean {
  for (const column of columnsOf(path, bytes)) if (contains(column, labels)) return true;
  return false;
}

function* columnsOf(path: string, bytes: Buffer): Generator<readonly string[]> {
  // Whatever stands between them: a text's words and numbers, in order.
  yield bytes.toString("utf8").match(/[-+]?[\w.]+(?:[ \w.-]*[\w.])?/g) ?? [];
  yield bytes.toString("utf8").match(/[^\s,;:|"'[\](){}=]+/g) ?? [];
  let rows: readonly Json[];
  try {
    rows = readTable(path, bytes).rows;
  } catch (error) {
    if (error instanceof TaskError) return;
    throw error;
  }
  const width = rows.reduce((most: number, row) => Math.max(most, cells(row).length), 0);
  for (let at = 0; at < width; at++) yield rows.map((row) => String(cells(row)[at] ?? ""));
}

function cells(row: Json): readonly Json[] {
  if (Array.isArray(row)) return row;
  return typeof row === "object" && row !== null ? Object.values(row) : [row as Json];
}

/** Whether all of `part` stands in `whole`, in a row. */
function contains(whole: readonly string[], part: readonly (string | Label)[]): boolean {
  const canonical = (text: string | Label): string => {
    const number = Number(text);
    return text !== "" && Number.isFinite(number) ? String(number) : String(text);
  };
  const [long, short] = [whole.map(canonical), part.map(canonical)];
  // Knuth, Morris and Pratt: a label that repeats must not make this slow.
  const back = [0];
  for (let i = 1, k = 0; i < short.length; i++) {
    while (k > 0 && short[i] !== short[k]) k = back[k - 1]!;
    if (short[i] === short[k]) k++;
    back.push(k);
  }
  let matched = 0;
  for (const each of long) {
    while (matched > 0 && each !== short[matched]) matched = back[matched - 1]!;
    if (each === short[matched]) matched++;
    if (matched === short.length) return true;
  }
  return false;
}
