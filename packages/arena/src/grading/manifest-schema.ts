/** What may stand in a task's manifest, and where: unknown keys are refused, and so are known ones where they would mean nothing. */
import { z } from "zod";
import { isSeed } from "../seeds.ts";
import { MEASURES, MEASURES_OF_KINDS, type TaskKind } from "./measures.ts";

const MAX_CASES = 500;

const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be of small letters, digits and -, 64 at most, and not begin with a -");
const text = (most: number) => z.string().min(1).max(most);
/** Of the bundle. What it names has been copied by us, and holds no link. */
const path = text(512).refine(
  (value) => value.split("/").every((part) => !/^\.{0,2}$/.test(part) && !/[\\\0]/.test(part)),
  "must be a path within the task, with / between folders",
);
/** A bundled environment's folder or archive. */
const bundled = z
  .string()
  .startsWith("./")
  .transform((value) => value.slice(2))
  .pipe(path)
  .transform((value) => ({ path: value }));
const options = z.record(z.string(), z.union([z.number(), z.boolean(), z.string()]));
const seconds = (most: number) => z.number().positive().max(most);
const memory = z
  .int()
  .min(16)
  .max(1024 * 1024)
  .default(512);

const scoring = z
  .strictObject({ by: z.enum(MEASURES), zero: z.number().optional(), full: z.number().optional() })
  .superRefine(({ by, zero, full }, context) => {
    if (zero !== undefined && zero === full) context.addIssue("zero and full must differ");
    if (by !== "judge" && (zero === undefined || full === undefined))
      context.addIssue(`zero and full are needed: what of ${by} is worth nothing, and what everything`);
  })
  .transform(({ by, zero = 0, full = 1 }) => ({ by, zero, full }));

const testCase = z.strictObject({
  id,
  title: text(200).optional(),
  hidden: z.boolean().default(false),
  weight: z.number().positive().max(1e6).default(1),
  seed: z.number().refine(isSeed, "must be an integer in 0 … 2^53 − 1").optional(),
  scoring: scoring.optional(),
  episodes: z.int().min(1).max(10_000).optional(),
  seat: z.int().min(0).max(63).optional(),
  opponents: z.array(path).max(63).optional(),
  options: options.optional(),
  data: z.json().optional(),
  inputs: path.optional(),
  labels: path.optional(),
});

export const manifestSchema = z
  .strictObject({
    task: z.literal(1, "must be 1, the version of this format"),
    title: text(200),
    description: text(20_000).optional(),
    environment: z
      .union([id, bundled], "must be the id of a built-in one, or begin with ./ and be a path within the task")
      .optional(),
    options: options.optional(),
    judge: path.optional(),
    supervised: z
      .strictObject({
        batch: z.int().min(1).max(100_000).default(1000),
        classes: z
          .array(z.union([text(200), z.number()]))
          .min(2)
          .max(1000)
          .optional(),
      })
      .optional(),
    points: z.number().positive().max(1e6).default(100),
    scoring: scoring.optional(),
    limits: z
      .strictObject({
        move_seconds: seconds(3600).default(5),
        bank_seconds: z.number().min(0).max(86_400).default(0),
        start_seconds: seconds(3600).default(30),
        case_seconds: seconds(86_400).default(600),
        memory_mb: memory,
        cpus: z.number().min(0.01).max(256).default(1),
        judge_seconds: seconds(3600).default(60),
        judge_memory_mb: memory,
      })
      .prefault({}),
    files: z.array(path).max(100).default([]),
    template: path.optional(),
    requirements: z.strictObject({ agent: path.optional(), judge: path.optional() }).default({}),
    cases: z.array(testCase).min(1).max(MAX_CASES),
    reference: path.optional(),
    cheat: path.optional(),
  })
  .superRefine((document, context) => {
    for (const { path: at, message } of misplaced(document)) context.addIssue({ code: "custom", path: at, message });
  });

export type Document = z.output<typeof manifestSchema>;
export type Options = z.output<typeof options>;
export type Scoring = z.output<typeof scoring>;

export function kindOf({ environment, judge }: Pick<Document, "environment" | "judge">): TaskKind {
  return environment !== undefined ? "environment" : judge !== undefined ? "questions" : "supervised";
}

/** The keys of a case that some kinds alone have. */
const KEYS_OF_KINDS: Readonly<Record<TaskKind, readonly (keyof z.input<typeof testCase>)[]>> = {
  environment: ["seed", "episodes", "seat", "opponents", "options"],
  questions: ["seed", "data"],
  supervised: ["inputs", "labels"],
};

interface Misplaced {
  readonly path: (string | number)[];
  readonly message: string;
}

/** What stands where it means nothing, and what is missing: a key that is not looked at would mislead its author. */
function* misplaced(document: Document): Generator<Misplaced> {
  const { environment, judge, supervised, cases } = document;
  if (environment === undefined && judge === undefined && supervised === undefined) {
    yield { path: ["environment"], message: "needed: an environment, or a judge that asks questions, or supervised" };
    return;
  }
  if (supervised !== undefined && (environment !== undefined || judge !== undefined))
    yield { path: ["supervised"], message: "stands alone: metrics are the judge, and there is no environment" };
  if (new Set(cases.map((one) => one.id)).size !== cases.length)
    yield { path: ["cases"], message: "two cases have the same id" };
  const kind = kindOf(document);
  if (document.options !== undefined && kind !== "environment")
    yield { path: ["options"], message: "are an environment's, and there is none" };
  if (document.requirements.judge !== undefined && judge === undefined)
    yield { path: ["requirements", "judge"], message: "there is no judge" };
  const measures = MEASURES_OF_KINDS[kind];
  let judged = false;
  for (const [at, one] of cases.entries()) {
    const place = ["cases", at];
    for (const other of Object.keys(KEYS_OF_KINDS) as TaskKind[])
      for (const key of KEYS_OF_KINDS[other])
        if (one[key] !== undefined && !KEYS_OF_KINDS[kind].includes(key) && key !== "seed")
          yield { path: [...place, key], message: `is of ${NAMES[other]}, and this is ${NAMES[kind]}` };
    if (one.seed === undefined && kind !== "supervised")
      yield { path: [...place, "seed"], message: "must be an integer in 0 … 2^53 − 1" };
    if (kind === "supervised")
      for (const key of ["inputs", "labels"] as const)
        if (one[key] === undefined) yield { path: [...place, key], message: "needed: a file of the task" };
    const own = one.scoring ?? document.scoring;
    if (own === undefined && kind !== "questions")
      yield { path: [...place, "scoring"], message: "needed, here or for all" };
    if (own !== undefined && !measures.includes(own.by))
      yield {
        path: one.scoring === undefined ? ["scoring", "by"] : [...place, "scoring", "by"],
        message: `${own.by} is not measured in ${NAMES[kind]}; there are ${measures.join(", ")}`,
      };
    if (own?.by === "judge" && judge === undefined) yield { path: ["judge"], message: "needed: scoring is by judge" };
    judged ||= own === undefined || own.by === "judge";
  }
  if (judge !== undefined && !judged) yield { path: ["judge"], message: "is never asked: no scoring is by judge" };
}

const NAMES: Readonly<Record<TaskKind, string>> = {
  environment: "a task with an environment",
  questions: "a task whose judge asks questions",
  supervised: "a supervised task",
};
