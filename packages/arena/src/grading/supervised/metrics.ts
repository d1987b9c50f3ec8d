/**
 * Metrics by scikit-learn's definitions, and what they need predicted. What an agent predicted is its own bytes until `readPredictions`
 * has looked at each of it.
 */
import type { Metric } from "../measures.ts";
import {
  accuracy,
  averagePrecision,
  balancedAccuracy,
  f1,
  f1Of,
  logLoss,
  matthews,
  rocArea,
} from "./classification.ts";
import { absoluteErrors, mean, median, r2, squaredErrors } from "./regression.ts";

export type Label = string | number;

/** What is asked for: a label of each row, a number, a score of the second class, or each class's probability. */
export type Asked = "labels" | "numbers" | "scores" | "probabilities";

export const ASKED: Readonly<Record<Metric, Asked>> = {
  accuracy: "labels",
  "balanced-accuracy": "labels",
  "f1-binary": "labels",
  "f1-macro": "labels",
  "f1-weighted": "labels",
  matthews: "labels",
  auroc: "scores",
  "average-precision": "scores",
  "log-loss": "probabilities",
  mse: "numbers",
  rmse: "numbers",
  mae: "numbers",
  "median-ae": "numbers",
  r2: "numbers",
};

/** Metrics that need `classes`, and of those that need two of them: the second is the positive one. */
export const NEEDS_CLASSES: ReadonlySet<Metric> = new Set(["log-loss", "f1-binary", "auroc", "average-precision"]);
export const NEEDS_TWO: ReadonlySet<Metric> = new Set(["f1-binary", "auroc", "average-precision"]);

export type Predictions = readonly Label[] | readonly (readonly number[])[];

/** How far the probabilities of a row may be from 1 in their sum: 32-bit floats are. */
const SUM_TOLERANCE = 1e-3;

/** An answer as so many predictions, or why it is none. */
export function readPredictions(asked: Asked, answer: unknown, rows: number, classes: number): Predictions | string {
  if (!Array.isArray(answer)) return `a list of ${rows} predictions was asked for`;
  if (answer.length !== rows) return `${rows} predictions were asked for, and ${answer.length} came`;
  const read = READ[asked];
  const predictions: unknown[] = [];
  for (const [at, each] of answer.entries()) {
    const value = read(each, classes);
    if (value === undefined) return `prediction ${at} is not ${WANTED[asked]}`;
    predictions.push(value);
  }
  return predictions as unknown as Predictions;
}

const WANTED: Readonly<Record<Asked, string>> = {
  labels: "a label: a text or a number",
  numbers: "a number",
  scores: "a number",
  probabilities: "a list with the probability of each class, 1 together",
};

const READ: Readonly<Record<Asked, (value: unknown, classes: number) => unknown>> = {
  // True and false are 1 and 0, as in the labels' own file.
  labels: (value) =>
    typeof value === "boolean" ? Number(value) : typeof value === "string" || isNumber(value) ? value : undefined,
  numbers: (value) => (isNumber(value) ? value : undefined),
  scores: (value) => (isNumber(value) ? value : undefined),
  probabilities: (value, classes) => {
    const row = classes === 2 && isNumber(value) ? [1 - value, value] : value;
    if (!Array.isArray(row) || row.length !== classes || !row.every((p) => isNumber(p) && p >= 0 && p <= 1)) return;
    const sum = row.reduce((total: number, p: number) => total + p, 0);
    return Math.abs(sum - 1) <= SUM_TOLERANCE ? row.map((p: number) => p / sum) : undefined;
  },
};

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** `classes` in the order that probabilities have; empty where the metric needs none. `predicted` as `ASKED` says. */
export function score(
  metric: Metric,
  labels: readonly Label[],
  predicted: Predictions,
  classes: readonly Label[],
): number {
  const truth = labels as readonly number[];
  const numbers = predicted as readonly number[];
  const named = predicted as readonly Label[];
  const positives = (): boolean[] => labels.map((label) => label === classes[1]);
  switch (metric) {
    case "accuracy":
      return accuracy(labels, named);
    case "balanced-accuracy":
      return balancedAccuracy(labels, named);
    case "f1-binary":
      return f1Of(labels, named, classes[1]!);
    case "f1-macro":
      return f1(labels, named, false);
    case "f1-weighted":
      return f1(labels, named, true);
    case "matthews":
      return matthews(labels, named);
    case "auroc":
      return rocArea(positives(), numbers);
    case "average-precision":
      return averagePrecision(positives(), numbers);
    case "log-loss":
      return logLoss(labels, predicted as readonly (readonly number[])[], classes);
    case "mse":
      return bounded(mean(squaredErrors(truth, numbers)));
    case "rmse":
      return bounded(Math.sqrt(mean(squaredErrors(truth, numbers))));
    case "mae":
      return bounded(mean(absoluteErrors(truth, numbers)));
    case "median-ae":
      return bounded(median(absoluteErrors(truth, numbers)));
    case "r2":
      return bounded(r2(truth, numbers));
  }
}

/** Finite, whatever was predicted: errors are squared, and a double ends at 1e308. */
function bounded(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}
