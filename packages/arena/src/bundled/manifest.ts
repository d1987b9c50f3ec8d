/** A bundled environment's manifest, `environment.yaml` (docs/bundled-environments.md): read once, with its defaults. */
import type { OptionsSchema } from "@lanista/games/options";
import { parse, YAMLError } from "yaml";
import { z } from "zod";
import { EnvironmentBundleError } from "./bundle-error.ts";

export const ENVIRONMENT_MANIFEST = "environment.yaml";
const MAX_BYTES = 256 * 1024;
const MiB = 1024 * 1024;

const text = (most: number) => z.string().min(1).max(most);
const seconds = z.number().positive().max(3600);
const described = { description: text(2000).default("–") };
const within = <T extends { minimum: number; maximum: number; default: number }>(one: T): boolean =>
  one.minimum <= one.default && one.default <= one.maximum;

const option = z.union([
  z
    .strictObject({ type: z.literal("integer"), minimum: z.int(), maximum: z.int(), default: z.int(), ...described })
    .refine(within, "the default must be in its range"),
  z
    .strictObject({
      type: z.literal("number"),
      minimum: z.number(),
      maximum: z.number(),
      default: z.number(),
      ...described,
    })
    .refine(within, "the default must be in its range"),
  z.strictObject({ type: z.literal("boolean"), default: z.boolean(), ...described }),
  z
    .strictObject({
      type: z.literal("string"),
      enum: z.array(text(200)).min(1).max(100),
      default: z.string(),
      ...described,
    })
    .refine((one) => one.enum.includes(one.default), "the default must be one of the enum"),
]);

/** What whoever plays may choose, by name. */
export const environmentOptions = z.record(
  z.string().regex(/^[A-Za-z_]\w*$/, "must be a name that Python can take"),
  option,
);

const manifest = z.strictObject({
  environment: z.literal(1, "must be 1, the version of this format"),
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be of small letters, digits and -, 64 at most"),
  version: z.int().min(1).max(1e9).default(1),
  title: text(200).optional(),
  description: text(20_000).optional(),
  entry: z
    .string()
    .max(300)
    .regex(
      /^(gymnasium:[\w.:/-]+|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)$/,
      "must be module:Class, module:function or gymnasium:<a registered id>",
    ),
  api: z.enum(["gymnasium", "pettingzoo-aec", "pettingzoo-parallel"]),
  seats: z.array(text(200)).min(1).max(31).optional(),
  kwargs: z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.json()).default({}),
  options: environmentOptions.default({}),
  action_mask: z.enum(["auto", "info", "none"]).default("auto"),
  seed_bits: z.union([z.literal(32), z.literal(53)]).default(53),
  max_steps: z.int().min(1).max(1_000_000).default(10_000),
  return_range: z
    .tuple([z.number(), z.number()])
    .refine(([least, greatest]) => least <= greatest, "must be the least and the greatest")
    .optional(),
  zero_sum: z.boolean().default(false),
  limits: z
    .strictObject({
      memory_mb: z
        .int()
        .min(64)
        .max(1024 * 1024)
        .default(1024),
      cpus: z.number().min(0.01).max(256).default(1),
      pids: z.int().min(1).max(4096).default(64),
      start_seconds: seconds.default(60),
      reset_seconds: seconds.default(30),
      step_seconds: seconds.default(10),
    })
    .prefault({}),
});

export interface EnvironmentLimits {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: number;
  readonly startSeconds: number;
  readonly resetSeconds: number;
  readonly stepSeconds: number;
}

export interface EnvironmentManifest {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly description: string;
  /** `module:name`, or `gymnasium:` and a registered id. */
  readonly entry: string;
  readonly api: "gymnasium" | "pettingzoo-aec" | "pettingzoo-parallel";
  /** What PettingZoo calls its agents; default: as the environment says. */
  readonly seats?: readonly string[];
  /** Always given to the entry. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Given to the entry as keywords too, as whoever plays chooses. */
  readonly options: OptionsSchema;
  readonly mask: "auto" | "info" | "none";
  readonly seedBits: 32 | 53;
  readonly maxSteps: number;
  readonly returnRange: readonly [number, number];
  readonly zeroSum: boolean;
  readonly limits: EnvironmentLimits;
}

/** Throws EnvironmentBundleError. */
export function parseEnvironmentManifest(source: string): EnvironmentManifest {
  const refuse = (why: string): never => {
    throw new EnvironmentBundleError(`${ENVIRONMENT_MANIFEST} ${why}`);
  };
  if (Buffer.byteLength(source) > MAX_BYTES) refuse(`is over ${MAX_BYTES} bytes`);
  let document: unknown;
  try {
    document = parse(source, { maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof YAMLError || error instanceof ReferenceError) return refuse(`is not YAML: ${error.message}`);
    throw error;
  }
  const parsed = manifest.safeParse(document);
  if (!parsed.success) {
    const told = parsed.error.issues.map(
      ({ path, message }) => `${path.length > 0 ? `${path.join(".")}: ` : ""}${message}`,
    );
    return refuse(`: ${told.join("; ")}`.replace(/^: /, "does not fit: "));
  }
  const { data } = parsed;
  const twice = Object.keys(data.options).find((name) => Object.hasOwn(data.kwargs, name));
  if (twice !== undefined) refuse(`names ${twice} both in kwargs and in options`);
  const { limits } = data;
  return {
    id: data.id,
    version: data.version,
    title: data.title ?? data.id,
    description: data.description ?? "",
    entry: data.entry,
    api: data.api,
    ...(data.seats === undefined ? {} : { seats: data.seats }),
    kwargs: data.kwargs,
    options: data.options,
    mask: data.action_mask,
    seedBits: data.seed_bits,
    maxSteps: data.max_steps,
    returnRange: data.return_range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    zeroSum: data.zero_sum,
    limits: {
      memoryBytes: limits.memory_mb * MiB,
      cpus: limits.cpus,
      pids: limits.pids,
      startSeconds: limits.start_seconds,
      resetSeconds: limits.reset_seconds,
      stepSeconds: limits.step_seconds,
    },
  };
}
