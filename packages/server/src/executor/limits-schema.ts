/** RL Arena's limits.yaml: its keys, their ranges, and the values it has where the file says nothing. */
import { z } from "zod";

const MIB = 2 ** 20;
const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 2 ** 10, m: MIB, g: 2 ** 30 };

/** Bytes as container engines write them: "512m", "1g", "1073741824". */
const size = z
  .union([z.int().positive(), z.string().regex(/^[1-9][0-9]{0,15}[bkmg]?$/i, 'a size is written as "512m" or "1g"')])
  .transform((value) => {
    if (typeof value === "number") return value;
    const unit = /[bkmg]$/i.exec(value)?.[0].toLowerCase() ?? "";
    return Number.parseInt(value, 10) * UNITS[unit]!;
  });
const megabytes = z.number().positive().max(1e6);
const seconds = z.number().positive();
const name = z.string().max(500);
const path = z.string().max(4000);
/** A section that is there but empty is YAML's null: it says nothing. */
const section = <S extends z.ZodType>(schema: S) => z.preprocess((value) => value ?? {}, schema);

const resourceLimits = z.strictObject({
  cpu_count: z.number().positive().max(1024).default(1),
  cpu_period: z.int().min(1000).max(1_000_000).default(100_000),
  /** Microseconds of CPU time in each period; −1: as much as there is. */
  cpu_quota: z
    .int()
    .refine((value) => value === -1 || value >= 1000, "at least 1000, or -1")
    .default(100_000),
  memory_limit: size.default(512 * MIB),
  memory_swap: z.union([z.literal(-1), size]).default(512 * MIB),
  step_timeout_sec: seconds.max(3600).default(5),
  match_timeout_sec: seconds.max(86_400).default(300),
  init_timeout_sec: seconds.max(3600).default(30),
  pids_limit: z.int().min(1).max(100_000).default(50),
  network_disabled: z.boolean().default(true),
  max_steps_per_match: z.int().min(1).max(1_000_000).default(10_000),
});

const sandbox = z.strictObject({
  use_docker: z.boolean().default(true),
  docker_image: name.default(""),
  tmp_dir: path.default(""),
  replay_dir: path.default(""),
  max_code_size_mb: megabytes.default(50),
  read_only_root: z.boolean().default(true),
  drop_capabilities: z.boolean().default(true),
  no_new_privileges: z.boolean().default(true),
});

const validation = z.strictObject({
  max_file_size_mb: megabytes.default(10),
  allowed_extensions: z
    .array(z.string().regex(/^\.[^/\0]{1,30}$/, 'an extension is written as ".py"'))
    .max(100)
    .default([".py", ".txt", ".json"]),
  forbidden_imports: z
    .array(z.string().min(1).max(200))
    .max(500)
    .default(["os.system", "subprocess", "eval", "exec", "compile", "__import__"]),
  max_lines: z.int().min(1).max(10_000_000).default(5000),
});

const replay = z.strictObject({
  format: z.enum(["json", "html"]).default("json"),
  compress: z.boolean().default(true),
  max_frames: z.int().min(1).max(1_000_000).default(10_000),
  include_observations: z.boolean().default(true),
  include_actions: z.boolean().default(true),
});

const logging = z.strictObject({
  level: z
    .string()
    .transform((value) => value.toUpperCase())
    .pipe(z.enum(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]))
    .default("INFO"),
  format: z.enum(["json", "text"]).default("json"),
  /** `stdout`, `stderr`, or a file's path. */
  output: path.min(1).default("stdout"),
});

export const limitsSchema = z.strictObject({
  resource_limits: section(resourceLimits),
  sandbox: section(sandbox),
  validation: section(validation),
  replay: section(replay),
  /** Absent: the executor logs as the server does. */
  logging: logging.nullish().transform((value) => value ?? null),
});
export type LimitsFile = z.output<typeof limitsSchema>;
