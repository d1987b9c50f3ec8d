/** How well labels, scores and probabilities fit. A label that is a text is never one that is a number. */
import { mean } from "./regression.ts";

type Label = string | number;

export function accuracy(truth: readonly Label[], predicted: readonly Label[]): number {
  return mean(truth.map((label, at) => (label === predicted[at] ? 1 : 0)));
}

interface Counts {
  right: number;
  real: number;
  named: number;
}

/** By label, of those that occur or were predicted. */
function counts(truth: readonly Label[], predicted: readonly Label[]): Map<Label, Counts> {
  const found = new Map<Label, Counts>();
  const of = (label: Label): Counts => {
    const known = found.get(label) ?? { right: 0, real: 0, named: 0 };
    found.set(label, known);
    return known;
  };
  for (const [at, label] of truth.entries()) {
    of(label).real++;
    of(predicted[at]!).named++;
    if (label === predicted[at]) of(label).right++;
  }
  return found;
}

/** The mean recall of the labels that occur. */
export function balancedAccuracy(truth: readonly Label[], predicted: readonly Label[]): number {
  const real = [...counts(truth, predicted).values()].filter((one) => one.real > 0);
  return mean(real.map(({ right, real: all }) => right / all));
}

function f1From({ right, real, named }: Counts): number {
  return real + named === 0 ? 0 : (2 * right) / (real + named);
}

export function f1Of(truth: readonly Label[], predicted: readonly Label[], positive: Label): number {
  return f1From(counts(truth, predicted).get(positive) ?? { right: 0, real: 0, named: 0 });
}

/** The mean over the labels; `weighted`: by how often each occurs. */
export function f1(truth: readonly Label[], predicted: readonly Label[], weighted: boolean): number {
  const all = [...counts(truth, predicted).values()];
  if (!weighted) return mean(all.map(f1From));
  return all.reduce((sum, one) => sum + one.real * f1From(one), 0) / truth.length;
}

/** Matthews' correlation, for any number of labels; 0 where one side does not vary. */
export function matthews(truth: readonly Label[], predicted: readonly Label[]): number {
  const all = [...counts(truth, predicted).values()];
  const n = truth.length;
  const right = all.reduce((sum, one) => sum + one.right, 0);
  const both = all.reduce((sum, one) => sum + one.real * one.named, 0);
  const reals = all.reduce((sum, one) => sum + one.real ** 2, 0);
  const nameds = all.reduce((sum, one) => sum + one.named ** 2, 0);
  const scale = Math.sqrt(n * n - nameds) * Math.sqrt(n * n - reals);
  return scale === 0 ? 0 : (right * n - both) / scale;
}

/** Groups of rows of one score, the highest first: how many in it are positive, and how many are not. */
function byScore(positive: readonly boolean[], scores: readonly number[]): { hits: number; misses: number }[] {
  const order = scores.map((_, at) => at).sort((a, b) => scores[b]! - scores[a]!);
  const groups: { hits: number; misses: number }[] = [];
  let last: number | undefined;
  for (const at of order) {
    if (last === undefined || scores[at] !== last) groups.push({ hits: 0, misses: 0 });
    last = scores[at];
    const group = groups.at(-1)!;
    if (positive[at]) group.hits++;
    else group.misses++;
  }
  return groups;
}

/** How often a positive one has the higher score than another, equal ones counting half. */
export function rocArea(positive: readonly boolean[], scores: readonly number[]): number {
  let [above, area, hits, misses] = [0, 0, 0, 0];
  for (const group of byScore(positive, scores)) {
    area += group.misses * (above + group.hits / 2);
    above += group.hits;
    hits += group.hits;
    misses += group.misses;
  }
  return area / (hits * misses);
}

export function averagePrecision(positive: readonly boolean[], scores: readonly number[]): number {
  const all = positive.filter(Boolean).length;
  let [hits, seen, sum] = [0, 0, 0];
  for (const group of byScore(positive, scores)) {
    hits += group.hits;
    seen += group.hits + group.misses;
    sum += (group.hits / all) * (hits / seen);
  }
  return sum;
}

/** Probabilities of 0 count as the smallest difference a double knows. */
export function logLoss(
  truth: readonly Label[],
  probabilities: readonly (readonly number[])[],
  classes: readonly Label[],
): number {
  const clipped = (p: number): number => Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, p));
  return mean(truth.map((label, at) => -Math.log(clipped(probabilities[at]![classes.indexOf(label)]!))));
}
