/**
 * What a validation asks of an agent's files. A policy is written as a document (a YAML file, a JSON object in a job) with the
 * keys of RL Arena's `limits.yaml`, and some more; docs/validation.md describes each.
 */

export type Severity = "error" | "warning" | "ignore";

/** The document: every key may be left out, unknown ones are refused. */
export interface PolicyDocument {
  readonly max_file_size_mb?: number;
  readonly max_total_size_mb?: number;
  /** null: any. */
  readonly allowed_extensions?: readonly string[] | null;
  /** null: no bound. */
  readonly max_lines?: number | null;
  readonly forbidden_imports?: readonly string[];
  readonly forbidden?: Severity;
  readonly missing_imports?: Severity;
  readonly requirements?: Severity;
  readonly dry_run?: boolean;
}

/** Complete. */
export interface ValidationPolicy {
  /** Bytes of one file, and of all. */
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
  /** Lower case, each with its dot, "" for a name without one; null: any. */
  readonly allowedExtensions: readonly string[] | null;
  /** Lines of one source file; null: no bound. */
  readonly maxLines: number | null;
  readonly forbiddenImports: readonly string[];
  readonly forbidden: Severity;
  readonly missingImports: Severity;
  readonly requirements: Severity;
  readonly dryRun: boolean;
}

/** A policy's document is not one; the message names the place. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

const MiB = 1024 * 1024;

export const DEFAULT_POLICY_DOCUMENT: Required<PolicyDocument> = {
  max_file_size_mb: 64,
  max_total_size_mb: 256,
  allowed_extensions: null,
  max_lines: null,
  forbidden_imports: ["os.system", "subprocess", "eval", "exec", "compile", "__import__"],
  forbidden: "warning",
  missing_imports: "warning",
  requirements: "warning",
  dry_run: true,
};

/** The document's keys as they must be; the text says so. */
const KEYS: Readonly<Record<keyof PolicyDocument, readonly [is: (value: unknown) => boolean, wanted: string]>> = {
  max_file_size_mb: [isSize, "a number above 0, at most 4096"],
  max_total_size_mb: [isSize, "a number above 0, at most 4096"],
  allowed_extensions: [
    (value) => value === null || isList(value, 100, /^(\.[A-Za-z0-9_+-]{1,20})?$/),
    `a list of at most 100 endings such as .py ("" for a name without one), or null for any`,
  ],
  max_lines: [
    (value) => value === null || (Number.isSafeInteger(value) && (value as number) >= 1),
    "a whole number of at least 1, or null for no bound",
  ],
  forbidden_imports: [
    (value) => isList(value, 500, /^[A-Za-z_@*][\w@*/-]{0,99}(\.[\w*]{1,100}){0,10}$/),
    "a list of at most 500 names such as os.system, subprocess or eval",
  ],
  forbidden: [isSeverity, "error, warning or ignore"],
  missing_imports: [isSeverity, "error, warning or ignore"],
  requirements: [isSeverity, "error, warning or ignore"],
  dry_run: [(value) => typeof value === "boolean", "true or false"],
};

function isSize(value: unknown): boolean {
  return typeof value === "number" && value > 0 && value <= 4096;
}

function isSeverity(value: unknown): boolean {
  return value === "error" || value === "warning" || value === "ignore";
}

function isList(value: unknown, most: number, item: RegExp): boolean {
  return (
    Array.isArray(value) && value.length <= most && value.every((one) => typeof one === "string" && item.test(one))
  );
}

/** `keys`: those that are known. `place`: for messages, such as a file's name. Throws PolicyError. */
function checkDocument(document: unknown, keys: readonly (keyof PolicyDocument)[], place: string): PolicyDocument {
  if (typeof document !== "object" || document === null || Array.isArray(document))
    throw new PolicyError(`${place}: must be a mapping with some of the keys ${keys.join(", ")}`);
  for (const [key, value] of Object.entries(document)) {
    if (!keys.includes(key as keyof PolicyDocument))
      throw new PolicyError(`${place}: unknown key ${JSON.stringify(key.slice(0, 100))}; known: ${keys.join(", ")}`);
    const [is, wanted] = KEYS[key as keyof PolicyDocument];
    if (!is(value)) throw new PolicyError(`${place}: ${key} must be ${wanted}, not ${shown(value)}`);
  }
  return document as PolicyDocument;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}

/** Fills in the defaults; null gives the default policy. `place` names the document in messages. Throws PolicyError. */
export function parsePolicy(document: unknown, place = "the policy"): ValidationPolicy {
  const keys = Object.keys(KEYS) as (keyof PolicyDocument)[];
  const given = checkDocument(document ?? {}, keys, place);
  const whole = { ...DEFAULT_POLICY_DOCUMENT, ...given };
  return {
    maxFileBytes: Math.floor(whole.max_file_size_mb * MiB),
    maxTotalBytes: Math.floor(whole.max_total_size_mb * MiB),
    allowedExtensions: whole.allowed_extensions?.map((ending) => ending.toLowerCase()) ?? null,
    maxLines: whole.max_lines,
    forbiddenImports: whole.forbidden_imports,
    forbidden: whole.forbidden,
    missingImports: whole.missing_imports,
    requirements: whole.requirements,
    dryRun: whole.dry_run,
  };
}

const LIMITS_KEYS = ["max_file_size_mb", "allowed_extensions", "forbidden_imports", "max_lines"] as const;

/**
 * The policy's document that the section `validation` of an RL Arena `limits.yaml` stands for: there, what is forbidden makes an
 * agent invalid. `maxTotalMb`: its `sandbox.max_code_size_mb`. Throws PolicyError, with its place.
 */
export function policyFromLimits(section: unknown, maxTotalMb?: number): PolicyDocument {
  const given = checkDocument(section ?? {}, LIMITS_KEYS, "limits.yaml: validation");
  const document: PolicyDocument = {
    ...given,
    forbidden: "error",
    ...(maxTotalMb === undefined ? {} : { max_total_size_mb: maxTotalMb }),
  };
  parsePolicy(document, "limits.yaml");
  return document;
}
