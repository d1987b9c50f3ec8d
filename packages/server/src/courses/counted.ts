/** What a student's submissions for a task come to. Pure; courses/results.ts reads the rows. */
import { deductionPercent } from "./lateness.ts";
import type { StoredSettings } from "./settings.ts";

export interface Graded {
  readonly id: string;
  readonly number: number;
  /** Seconds since 1970: what was brought over comes with a number behind those that it came before. */
  readonly arrived: number;
  readonly late_seconds: number;
  /** Of the newest grade. */
  readonly points: number;
  readonly out_of: number;
}

export interface Counted {
  readonly submissionId: string;
  /** Scaled to the task's points, before anything is taken off. */
  readonly earned: number;
  readonly points: number;
  readonly deductionPercent: number;
  readonly lateSeconds: number;
}

/** `outOf`: what full marks are here. null where there is nothing to count. Of equals the earlier one. */
export function countedOf(settings: StoredSettings, outOf: number, graded: readonly Graded[]): Counted | null {
  const counted = graded
    .toSorted((a, b) => a.arrived - b.arrived || a.number - b.number)
    .map((one): Counted => {
      const deduction = deductionPercent(settings, one.late_seconds);
      const earned = (one.points / one.out_of) * outOf;
      return {
        submissionId: one.id,
        earned,
        points: earned * (1 - deduction / 100),
        deductionPercent: deduction,
        lateSeconds: one.late_seconds,
      };
    });
  if (settings.counts === "last") return counted.at(-1) ?? null;
  return counted.reduce<Counted | null>((best, one) => (best === null || one.points > best.points ? one : best), null);
}
