/** Errors of predicted numbers. */

export function squaredErrors(truth: readonly number[], predicted: readonly number[]): number[] {
  return truth.map((value, at) => (value - predicted[at]!) ** 2);
}

export function absoluteErrors(truth: readonly number[], predicted: readonly number[]): number[] {
  return truth.map((value, at) => Math.abs(value - predicted[at]!));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Of a truth that does not vary: 1 where all is right, else 0. */
export function r2(truth: readonly number[], predicted: readonly number[]): number {
  const middle = mean(truth);
  const left = squaredErrors(truth, predicted).reduce((sum, each) => sum + each, 0);
  const all = truth.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  if (all === 0) return left === 0 ? 1 : 0;
  return 1 - left / all;
}
