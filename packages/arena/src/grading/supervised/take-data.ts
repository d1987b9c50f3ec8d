/** A supervised case's data: inputs to be shown, labels that never leave the host, and whether the metric can be had of them. */
import { createHash } from "node:crypto";
import type { Metric } from "../measures.ts";
import { TaskError } from "../task-error.ts";
import { ASKED, type Label, NEEDS_CLASSES, NEEDS_TWO } from "./metrics.ts";
import type { Json, Table } from "./table.ts";

export interface SupervisedData {
  readonly columns: readonly string[] | null;
  readonly rows: readonly Json[];
  readonly labels: readonly Label[];
  /** Empty where the task names none. */
  readonly classes: readonly Label[];
  /** SHA-256 of the files, in hex. */
  readonly digests: { readonly inputs: string; readonly labels: string };
}

export interface DataFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly table: Table;
}

/** `place`: of the case in the manifest. Throws TaskError. */
export function pairUp(
  place: string,
  inputs: DataFile,
  labels: DataFile,
  classes: readonly Label[],
  metric: Metric,
): SupervisedData {
  const wrong = (why: string): TaskError => new TaskError(`${place}: ${why}`);
  const truth = labels.table.rows.map((row, at): Label => {
    const label = Array.isArray(row) && row.length === 1 ? row[0] : row;
    if (typeof label === "boolean") return label ? 1 : 0;
    if (typeof label === "string" || typeof label === "number") return label;
    throw wrong(`${labels.name}: row ${at + 1} is no label: one text or number a row (a CSV: one column)`);
  });
  const { rows, columns } = inputs.table;
  if (truth.length !== rows.length)
    throw wrong(`${inputs.name} has ${rows.length} rows, and ${labels.name} ${truth.length}`);
  if (ASKED[metric] === "numbers" && truth.some((label) => typeof label !== "number"))
    throw wrong(`${metric} is of numbers, and ${labels.name} holds texts`);
  if (NEEDS_CLASSES.has(metric) && classes.length === 0)
    throw wrong(`${metric} needs the classes, in the order that is asked for: supervised.classes`);
  if (NEEDS_TWO.has(metric) && classes.length !== 2)
    throw wrong(`${metric} is of two classes, and supervised.classes names ${classes.length}`);
  const strange = classes.length === 0 ? undefined : truth.find((label) => !classes.includes(label));
  if (strange !== undefined) throw wrong(`${labels.name}: ${JSON.stringify(strange)} is none of supervised.classes`);
  if (metric === "r2" && truth.length < 2) throw wrong("r2 needs two rows");
  if (metric === "auroc" && new Set(truth).size < 2) throw wrong(`${labels.name}: auroc needs rows of both classes`);
  if (metric === "average-precision" && !truth.includes(classes[1]!))
    throw wrong(`${labels.name}: average-precision needs a row of the second class`);
  const digest = ({ bytes }: DataFile): string => createHash("sha256").update(bytes).digest("hex");
  return { columns, rows, labels: truth, classes, digests: { inputs: digest(inputs), labels: digest(labels) } };
}
