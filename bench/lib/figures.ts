/** Numbers from samples, and the one shape in which every benchmark reports them. */

/** What was seen of one quantity over the rounds. The median is what is compared; the rest says how steady it was. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  readonly samples: number;
}

export interface Figure {
  readonly what: string;
  readonly unit: string;
  /** By contestant, ours first; null where it cannot be had on this host. */
  readonly values: Readonly<Record<string, Spread | null>>;
}

/** `met` is null where one of the figures in it cannot be had. */
export interface Goal {
  readonly what: string;
  readonly bound: string;
  readonly is: string;
  readonly met: boolean | null;
}

export interface Report {
  readonly benchmark: string;
  readonly figures: readonly Figure[];
  readonly goals: readonly Goal[];
  readonly notes: readonly string[];
}

/** The sample at the fraction `p` (0 … 1) of the sorted samples, interpolated. Throws a RangeError if there are none. */
export function percentile(samples: readonly number[], p: number): number {
  if (samples.length === 0) throw new RangeError("no samples");
  const sorted = [...samples].sort((a, b) => a - b);
  const at = p * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

export function spread(samples: readonly number[]): Spread | null {
  if (samples.length === 0) return null;
  return {
    median: median(samples),
    least: Math.min(...samples),
    greatest: Math.max(...samples),
    samples: samples.length,
  };
}

/** A goal on one number: at most or at least a bound. */
export function goal(
  what: string,
  value: number | undefined,
  relation: "≤" | "≥",
  bound: number,
  write: (value: number) => string,
): Goal {
  const met = value === undefined ? null : relation === "≤" ? value <= bound : value >= bound;
  return { what, bound: `${relation} ${write(bound)}`, is: value === undefined ? "not measured" : write(value), met };
}

/** Three significant digits: more would be noise on shared cores. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: digits });
}
