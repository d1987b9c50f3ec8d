/**
 * A task's manifest, `task.yaml` (docs/tasks.md): read once, with its defaults, and refused with the place of what is wrong.
 * Its keys are written like those of `limits.yaml`; inside they are ours.
 */
import { parse, YAMLError } from "yaml";
import { z } from "zod";
import { isSeed } from "../seeds.ts";
import { TaskError } from "./task-error.ts";

export const MANIFEST = "task.yaml";
const MAX_BYTES = 256 * 1024;
const MAX_CASES = 500;
const MiB = 1024 * 1024;

const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be of small letters, digits and -, 64 at most, and not begin with a -");
const text = (most: number) => z.string().min(1).max(most);
/** Of the bundle. What it names has been copied by us, and holds no link. */
const path = text(512).refine(
  (value) => value.split("/").every((part) => !/^\.{0,2}$/.test(part) && !/[\\\0]/.test(part)),
  "must be a path within the task, with / between folders",
);
const options = z.record(z.string(), z.union([z.number(), z.boolean(), z.string()]));
const seconds = (most: number) => z.number().positive().max(most);

const scoring = z
  .strictObject({
    by: z.enum(["reward", "win-rate", "steps"]),
    zero: z.number(),
    full: z.number(),
  })
  .refine(({ zero, full }) => zero !== full, "zero and full must differ");

const testCase = z.strictObject({
  id,
  title: text(200).optional(),
  hidden: z.boolean().default(false),
  weight: z.number().positive().max(1e6).default(1),
  seed: z.number().refine(isSeed, "must be an integer in 0 … 2^53 − 1"),
  episodes: z.int().min(1).max(10_000).default(1),
  seat: z.int().min(0).max(63).default(0),
  opponents: z.array(path).max(63).default([]),
  options: options.default({}),
  scoring: scoring.optional(),
});

const manifest = z
  .strictObject({
    task: z.literal(1, "must be 1, the version of this format"),
    title: text(200),
    description: text(20_000).optional(),
    environment: id,
    options: options.default({}),
    points: z.number().positive().max(1e6).default(100),
    scoring,
    limits: z
      .strictObject({
        move_seconds: seconds(3600).default(5),
        bank_seconds: z.number().min(0).max(86_400).default(0),
        start_seconds: seconds(3600).default(30),
        case_seconds: seconds(86_400).default(600),
        memory_mb: z
          .int()
          .min(16)
          .max(1024 * 1024)
          .default(512),
        cpus: z.number().min(0.01).max(256).default(1),
      })
      .prefault({}),
    cases: z.array(testCase).min(1).max(MAX_CASES),
    reference: path.optional(),
    cheat: path.optional(),
  })
  .refine(({ cases }) => new Set(cases.map((one) => one.id)).size === cases.length, {
    path: ["cases"],
    message: "two cases have the same id",
  });

export type Scoring = z.output<typeof scoring>;
export type Options = z.output<typeof options>;

export interface TestCase {
  readonly id: string;
  /** For people. Default: the id. */
  readonly title: string;
  /** The student is told how it went, and nothing that tells what it was. */
  readonly hidden: boolean;
  readonly weight: number;
  readonly seed: number;
  readonly episodes: number;
  /** The seat of whoever is graded. */
  readonly seat: number;
  /** Paths in the bundle, for the other seats in their order. */
  readonly opponents: readonly string[];
  /** The task's, with the case's own over them. */
  readonly options: Options;
  readonly scoring: Scoring;
}

export interface TaskLimits {
  readonly moveSeconds: number;
  readonly bankSeconds: number;
  readonly startSeconds: number;
  /** For one case, repeats after faults of ours included. */
  readonly caseSeconds: number;
  readonly memoryBytes: number;
  readonly cpus: number;
}

export interface TaskManifest {
  readonly title: string;
  readonly description: string;
  /** The id of a built-in environment. */
  readonly environment: string;
  /** What full marks are. */
  readonly points: number;
  readonly limits: TaskLimits;
  readonly cases: readonly TestCase[];
  /** An agent that must score full marks. */
  readonly reference?: string;
  /** An agent that must score nothing. */
  readonly cheat?: string;
}

/** Throws TaskError. */
export function parseManifest(source: string): TaskManifest {
  if (Buffer.byteLength(source) > MAX_BYTES) throw new TaskError(`${MANIFEST} is over ${MAX_BYTES} bytes`);
  let document: unknown;
  try {
    // Aliases can make a small file a huge document.
    document = parse(source, { maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof YAMLError || error instanceof ReferenceError)
      throw new TaskError(`${MANIFEST} is not YAML: ${error.message}`);
    throw error;
  }
  const parsed = manifest.safeParse(document);
  if (!parsed.success) throw new TaskError(`${MANIFEST}: ${parsed.error.issues.map(issueText).join("; ")}`);
  const { title, description = "", environment, points, limits, cases, reference, cheat } = parsed.data;
  return {
    title,
    description,
    environment,
    points,
    limits: {
      moveSeconds: limits.move_seconds,
      bankSeconds: limits.bank_seconds,
      startSeconds: limits.start_seconds,
      caseSeconds: limits.case_seconds,
      memoryBytes: limits.memory_mb * MiB,
      cpus: limits.cpus,
    },
    cases: cases.map((one) => ({
      ...one,
      title: one.title ?? one.id,
      options: { ...parsed.data.options, ...one.options },
      scoring: one.scoring ?? parsed.data.scoring,
    })),
    ...(reference === undefined ? {} : { reference }),
    ...(cheat === undefined ? {} : { cheat }),
  };
}

function issueText({ path, message }: z.core.$ZodIssue): string {
  const place = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return `${place === "" ? "" : `${place.replace(/^\./, "")}: `}${message}`;
}
