/** Payloads and results of the jobs of courses: `task_check`, `grade` and `compare`. docs/courses.md. */
import { z } from "zod";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const format = z.enum(["native", "aivle"]);
const TIB = 2 ** 40;
/** Of a grade's JSON, as UTF-16 counts them. */
const MOST_GRADE = 2 ** 20;

/** Of aiVLE's bundles, which say nothing of it. */
export const LEGACY_POINTS = 100;
export const LEGACY_SECONDS = 600;
export const LEGACY_MEMORY_BYTES = 2 ** 30;

/** What stands over the bundle's own limits. */
export const overLimits = z.strictObject({
  caseSeconds: z.int().positive().max(86_400).optional(),
  memoryBytes: z.int().positive().max(TIB).optional(),
  /** How many it is to have: fewer, and it does not run. */
  gpus: z.int().positive().max(64).optional(),
  /** Of each box that has GPUs, on all of them together. */
  vramBytes: z
    .int()
    .positive()
    .max(64 * TIB)
    .optional(),
});

export type OverLimits = z.infer<typeof overLimits>;

/** Of aiVLE's bundles; absent: preferred. */
const split = z.literal("require").optional();

export const taskCheckPayload = z.strictObject({
  format,
  task: digest,
  split,
  /** What students start from: with `split`, an agent to try it by. */
  template: digest.optional(),
  tier: z.string().max(40),
  over: overLimits,
});
export type TaskCheckPayload = z.infer<typeof taskCheckPayload>;

/** What a bundle's manifest says, as far as the server needs it: believed within these bounds. */
export const taskSummary = z.strictObject({
  title: z.string().max(200),
  environment: z.string().max(200),
  points: z.number().positive().max(1e6),
  cases: z.int().min(1).max(500),
  /** Over the files: what grades say they came from. */
  digest,
  caseSeconds: z.number().positive().max(86_400),
  memoryBytes: z.int().positive().max(TIB),
  cpus: z.number().positive().max(256),
  /** That run at once in a case. */
  boxes: z.int().min(1).max(64),
  /** Of these, agents' own; absent of aiVLE's bundles, and in what older workers said. */
  agentBoxes: z.int().min(1).max(64).optional(),
});
export type TaskSummary = z.infer<typeof taskSummary>;

export const taskCheckResult = z.strictObject({
  ok: z.boolean(),
  findings: z
    .array(
      z.strictObject({
        who: z.string().max(40),
        case: z.string().max(64).nullable(),
        message: z.string().max(1000),
      }),
    )
    .max(200),
  /** null where there is no manifest to be read. */
  summary: taskSummary.nullable(),
});
export type TaskCheckResult = z.infer<typeof taskCheckResult>;

export const gradePayload = z.strictObject({
  format,
  versionId: z.uuid(),
  task: digest,
  agent: digest,
  /** The agent's, in the grade. */
  name: z.string().max(100),
  tier: z.string().max(40),
  over: overLimits,
  /** What full marks are, where the bundle does not say: the most that its value counts for. */
  points: z.number().positive().max(1e6).optional(),
  split,
});
export type GradePayload = z.infer<typeof gradePayload>;

const kind = z.enum(["completed", "agent_fault", "infra_fault", "cancelled"]);
const value = z.number().min(0).max(1).nullable();
/** As far as anything here looks at it; the rest is kept as it is (arena/grading/grade-types.ts). */
export const gradeDocument = z.looseObject({
  outcome: z.looseObject({ kind: kind, cases: z.array(z.string().max(64)).max(500), detail: z.string().nullable() }),
  points: z.number().min(0).max(1e6),
  outOf: z.number().positive().max(1e6),
  cases: z
    .array(
      z.looseObject({
        id: z.string().max(64),
        title: z.string().max(200),
        hidden: z.boolean(),
        weight: z.number().positive(),
        outcome: kind,
        value,
        verdict: z.string().max(10).nullable(),
        fault: z.string().max(40).nullable(),
      }),
    )
    .min(1)
    .max(500),
  task: z.looseObject({ title: z.string().max(200), digest }),
  agent: z.looseObject({ name: z.string().max(200), digest: z.string().max(64) }),
});
export type GradeDocument = z.infer<typeof gradeDocument>;

export const gradeResult = z
  .strictObject({ grade: gradeDocument })
  .refine(({ grade }) => grade.points <= grade.outOf, "more points than there are")
  .refine(({ grade }) => JSON.stringify(grade).length <= MOST_GRADE, "the grade is too long");
export type GradeResult = z.infer<typeof gradeResult>;

export const MOST_COMPARED = 2000;
export const comparePayload = z.strictObject({
  submissions: z.array(z.strictObject({ id: z.uuid(), digest })).max(MOST_COMPARED),
  /** What everybody was given. */
  template: digest.nullable(),
});
export type ComparePayload = z.infer<typeof comparePayload>;

export const compareResult = z.strictObject({
  pairs: z
    .array(z.strictObject({ a: z.uuid(), b: z.uuid(), likeness: z.number().min(0).max(1), shared: z.int().min(0) }))
    .max(500),
  compared: z.int().min(0),
  leftOut: z.array(z.strictObject({ id: z.uuid(), why: z.string().max(300) })).max(MOST_COMPARED),
});
export type CompareResult = z.infer<typeof compareResult>;
