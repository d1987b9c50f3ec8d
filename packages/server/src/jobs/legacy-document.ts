/** What a grader of aiVLE's gave, in the form of a native grade, so that whoever reads grades reads one form. */
import type { LegacyOutcome } from "@lanista/arena/legacy/types";

export const LEGACY_TITLE = "aiVLE's grader";

export interface LegacyMade {
  readonly outOf: number;
  /** The task's digest. */
  readonly task: string;
  readonly agent: { readonly name: string; readonly digest: string };
}

/** A grader may give less than nothing or more than all: points are neither. */
export const legacyPoints = (value: number, outOf: number): number => Math.min(outOf, Math.max(0, value));

/** One hidden case, since nobody knows what of a grader's words students may read. `said` is for staff. */
export function legacyDocument<Said extends object>(
  { outOf, task, agent }: LegacyMade,
  { kind, verdict, fault, detail }: Pick<LegacyOutcome, "kind" | "verdict" | "fault" | "detail">,
  points: number,
  { wallSeconds, ...said }: Said & { readonly wallSeconds: number },
) {
  const outcome = { kind, cases: kind === "completed" ? [] : ["grader"], detail };
  const one = { id: "grader", title: LEGACY_TITLE, hidden: true, weight: 1, outcome: kind };
  const value = points / outOf;
  return {
    outcome,
    points,
    outOf,
    cases: [{ ...one, value, verdict: verdict ?? "OK", fault, measured: points, detail, message: null, ...said }],
    task: { title: LEGACY_TITLE, digest: task },
    kind: "environment",
    agent,
    env: "aivle",
    unwritten: [],
    wallSeconds,
  };
}
