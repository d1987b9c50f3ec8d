/**
 * A task's manifest, `task.yaml` (docs/tasks.md): read once, with its defaults, and refused with the place of what is wrong.
 * Its keys are written like those of `limits.yaml`; inside they are ours.
 */
import { parse, YAMLError } from "yaml";
import type { z } from "zod";
import { type Document, kindOf, manifestSchema, type Options, type Scoring } from "./manifest-schema.ts";
import type { TaskKind } from "./measures.ts";
import { TaskError } from "./task-error.ts";

export type { Options, Scoring };

export const MANIFEST = "task.yaml";
const MAX_BYTES = 256 * 1024;
const MiB = 1024 * 1024;

interface AnyCase {
  readonly id: string;
  /** For people. Default: the id. */
  readonly title: string;
  /** The student is told how it went, and nothing that tells what it was. */
  readonly hidden: boolean;
  readonly weight: number;
  readonly seed: number;
  readonly scoring: Scoring;
}

export interface EnvironmentCase extends AnyCase {
  readonly kind: "environment";
  readonly episodes: number;
  /** The seat of whoever is graded. */
  readonly seat: number;
  /** Paths in the bundle, for the other seats in their order. */
  readonly opponents: readonly string[];
  /** The task's, with the case's own over them. */
  readonly options: Options;
}

export interface QuestionCase extends AnyCase {
  readonly kind: "questions";
  /** For the judge alone: any JSON. */
  readonly data: z.core.util.JSONType;
}

export interface SupervisedCase extends AnyCase {
  readonly kind: "supervised";
  /** Paths in the bundle. */
  readonly inputs: string;
  readonly labels: string;
}

export type TestCase = EnvironmentCase | QuestionCase | SupervisedCase;

export interface TaskLimits {
  readonly moveSeconds: number;
  readonly bankSeconds: number;
  readonly startSeconds: number;
  /** For one case, repeats after faults of ours included. */
  readonly caseSeconds: number;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** For each turn of the judge's. */
  readonly judgeSeconds: number;
  readonly judgeMemoryBytes: number;
}

export interface TaskManifest {
  readonly title: string;
  readonly description: string;
  readonly kind: TaskKind;
  /** The id of a built-in environment; absent where the kind is another, or the environment is a bundled one. */
  readonly environment?: string;
  /** A bundled environment's path in the bundle. */
  readonly bundledEnvironment?: string;
  /** A file or folder of the bundle. */
  readonly judge?: string;
  readonly supervised?: {
    /** Rows a question. */
    readonly batch: number;
    /** What labels there are, in the order that probabilities are given in. */
    readonly classes?: readonly (string | number)[];
  };
  /** What full marks are. */
  readonly points: number;
  readonly limits: TaskLimits;
  /** Files and folders of the bundle that the agent may read. */
  readonly files: readonly string[];
  /** A file or folder of the bundle that students start from. */
  readonly template?: string;
  /** Files of the bundle that name Python packages. */
  readonly requirements: { readonly agent?: string; readonly judge?: string };
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
  const parsed = manifestSchema.safeParse(document);
  if (!parsed.success) throw new TaskError(`${MANIFEST}: ${parsed.error.issues.map(issueText).join("; ")}`);
  return manifestOf(parsed.data);
}

function manifestOf(document: Document): TaskManifest {
  const {
    title,
    description = "",
    environment,
    judge,
    supervised,
    points,
    limits,
    files,
    template,
    reference,
    cheat,
  } = document;
  const { agent: forAgent, judge: forJudge } = document.requirements;
  return {
    title,
    description,
    kind: kindOf(document),
    ...(environment === undefined
      ? {}
      : typeof environment === "string"
        ? { environment }
        : { bundledEnvironment: environment.path }),
    ...(judge === undefined ? {} : { judge }),
    ...(supervised === undefined
      ? {}
      : {
          supervised: {
            batch: supervised.batch,
            ...(supervised.classes === undefined ? {} : { classes: supervised.classes }),
          },
        }),
    points,
    limits: {
      moveSeconds: limits.move_seconds,
      bankSeconds: limits.bank_seconds,
      startSeconds: limits.start_seconds,
      caseSeconds: limits.case_seconds,
      memoryBytes: limits.memory_mb * MiB,
      cpus: limits.cpus,
      judgeSeconds: limits.judge_seconds,
      judgeMemoryBytes: limits.judge_memory_mb * MiB,
    },
    files,
    ...(template === undefined ? {} : { template }),
    requirements: {
      ...(forAgent === undefined ? {} : { agent: forAgent }),
      ...(forJudge === undefined ? {} : { judge: forJudge }),
    },
    cases: document.cases.map((one) => caseOf(one, document)),
    ...(reference === undefined ? {} : { reference }),
    ...(cheat === undefined ? {} : { cheat }),
  };
}

function caseOf(one: Document["cases"][number], document: Document): TestCase {
  const kind = kindOf(document);
  const common = {
    id: one.id,
    title: one.title ?? one.id,
    hidden: one.hidden,
    weight: one.weight,
    seed: one.seed ?? 0,
    scoring: one.scoring ?? document.scoring ?? { by: "judge" as const, zero: 0, full: 1 },
  };
  if (kind === "questions") return { ...common, kind, data: one.data ?? null };
  if (kind === "supervised") return { ...common, kind, inputs: one.inputs!, labels: one.labels! };
  const { episodes = 1, seat = 0, opponents = [] } = one;
  return { ...common, kind, episodes, seat, opponents, options: { ...document.options, ...one.options } };
}

function issueText({ path, message }: z.core.$ZodIssue): string {
  const place = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return `${place === "" ? "" : `${place.replace(/^\./, "")}: `}${message}`;
}
