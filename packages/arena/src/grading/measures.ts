/** What a case can be measured by, and in which kinds of task. */

export const PLAYED = ["reward", "win-rate", "steps"] as const;

/** Of predictions: names and definitions are scikit-learn's (docs/tasks.md). */
export const METRICS = [
  "accuracy",
  "balanced-accuracy",
  "f1-binary",
  "f1-macro",
  "f1-weighted",
  "matthews",
  "auroc",
  "average-precision",
  "log-loss",
  "mse",
  "rmse",
  "mae",
  "median-ae",
  "r2",
] as const;

export type Metric = (typeof METRICS)[number];
export type PlayMeasure = (typeof PLAYED)[number];
export type Measure = PlayMeasure | "judge" | Metric;

export const MEASURES: readonly Measure[] = [...PLAYED, "judge", ...METRICS];

/** With an environment; by the questions of a judge; by predictions on inputs whose labels are hidden. */
export type TaskKind = "environment" | "questions" | "supervised";

export const MEASURES_OF_KINDS: Readonly<Record<TaskKind, readonly Measure[]>> = {
  environment: [...PLAYED, "judge"],
  questions: ["judge"],
  supervised: METRICS,
};
