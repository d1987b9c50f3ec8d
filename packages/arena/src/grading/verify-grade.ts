/**
 * Whether a grade is what its task gives its agent: the digests of all that it came from are compared with what is there, and then
 * it is run again. Equal seeds give equal values, where agents and judges draw from theirs alone.
 */
import { z } from "zod";
import { type GradeRequest, gradeAgent } from "./grade.ts";
import type { CaseGrade, Grade } from "./grade-types.ts";
import type { PreparedTask } from "./task.ts";

const MAX_BYTES = 16 * 1024 * 1024;
const digest = z.string().max(100);
const made = z.looseObject({ digest });

/** As much of a grade as is looked at. */
const told = z.looseObject({
  outOf: z.number(),
  points: z.number().nullable(),
  task: made,
  agent: made,
  judge: made.nullable(),
  files: digest.nullable(),
  envBundle: digest.nullable(),
  packages: z.looseObject({ agent: digest.nullable(), judge: digest.nullable() }),
  cases: z
    .array(
      z.looseObject({
        id: z.string().max(64),
        outcome: z.enum(["completed", "agent_fault", "infra_fault", "cancelled"]),
        value: z.number().min(0).max(1).nullable(),
        fault: z.string().max(40).nullable(),
        seed: z.number(),
        opponents: z.array(made).max(63),
        data: z.looseObject({ inputs: digest, labels: digest }).nullable(),
        replay: z.looseObject({ hash: digest }),
      }),
    )
    .min(1)
    .max(500),
});

export type ToldGrade = z.output<typeof told>;

export interface GradeDifference {
  /** The case's id; null where it is about all. */
  readonly case: string | null;
  readonly what: string;
  readonly was: unknown;
  readonly is: unknown;
}

export interface GradeVerification {
  readonly ok: boolean;
  readonly differences: readonly GradeDifference[];
  /** Cases that were answered or played otherwise than then, for the same value. */
  readonly otherwise: readonly string[];
  /** What came out now; null where it was not run, because it is of other files. */
  readonly grade: Grade | null;
}

/** A grade's document that is none, or is a student's view. */
export class GradeDocumentError extends Error {
  override readonly name = "GradeDocumentError";
}

/** Throws GradeDocumentError. */
export function parseGrade(text: string): ToldGrade {
  if (text.length > MAX_BYTES) throw new GradeDocumentError(`it is over ${MAX_BYTES} bytes`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new GradeDocumentError("it is not JSON");
  }
  const parsed = told.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new GradeDocumentError(
    `${issue!.path.join(".")}: ${issue!.message} (a student's view says too little to be verified)`,
  );
}

/** Throws as gradeAgent does. */
export async function verifyGrade(was: ToldGrade, request: Omit<GradeRequest, "only">): Promise<GradeVerification> {
  const differences: GradeDifference[] = [];
  const compare = (id: string | null, what: string, before: unknown, now: unknown): void => {
    if (JSON.stringify(before) !== JSON.stringify(now)) differences.push({ case: id, what, was: before, is: now });
  };
  const { task, agent } = request;
  compare(null, "the task's digest", was.task.digest, task.digest);
  compare(null, "the agent's digest", was.agent.digest, agent.digest);
  compare(null, "the judge's digest", was.judge?.digest ?? null, task.judge?.digest ?? null);
  compare(null, "the digest of what the agent could read", was.files, task.files?.digest ?? null);
  compare(null, "the environment's digest", was.envBundle, task.environment?.digest ?? null);
  for (const one of was.cases) compareCase(one, task, compare);
  if (differences.length > 0) return { ok: false, differences, otherwise: [], grade: null };
  const grade = await gradeAgent({ ...request, only: was.cases.map(({ id }) => id) });
  compare(null, "the agent's packages", was.packages.agent, grade.packages.agent);
  compare(null, "the judge's packages", was.packages.judge, grade.packages.judge);
  const otherwise: string[] = [];
  for (const before of was.cases) {
    const now = grade.cases.find(({ id }) => id === before.id)!;
    // What was nobody's loss has no value to compare.
    if (before.outcome === "infra_fault" || before.outcome === "cancelled") continue;
    for (const what of ["outcome", "value", "fault"] as const) compare(before.id, what, before[what], now[what]);
    if (before.replay.hash !== now.replay.hash) otherwise.push(before.id);
  }
  if (was.cases.every(({ value }) => value !== null)) compare(null, "points", was.points, grade.points);
  compare(null, "what full marks are", was.outOf, grade.outOf);
  return { ok: differences.length === 0, differences, otherwise, grade };
}

function compareCase(
  one: ToldGrade["cases"][number],
  task: PreparedTask,
  compare: (id: string, what: string, before: unknown, now: unknown) => void,
): void {
  const now = task.cases.find(({ id }) => id === one.id);
  if (now === undefined) {
    compare(one.id, "whether there is such a case", true, false);
    return;
  }
  const opponents = (of: readonly { readonly digest: string }[]): string[] => of.map((each) => each.digest);
  compare(one.id, "the seed", one.seed, now.seed);
  compare(one.id, "the opponents' digests", opponents(one.opponents), opponents(now.opponentAgents));
  const data: CaseGrade["data"] = now.kind === "supervised" ? now.table.digests : null;
  compare(one.id, "the inputs' digest", one.data?.inputs ?? null, data?.inputs ?? null);
  compare(one.id, "the labels' digest", one.data?.labels ?? null, data?.labels ?? null);
}
