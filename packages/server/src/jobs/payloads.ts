/** The jobs' payloads and results: written by the server, read by workers, and the other way round. docs/jobs.md. */
import { z } from "zod";
import { namedEnvironment } from "./environment-payloads.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const seed = z.string().regex(/^(0|[1-9][0-9]{0,15})$/);
const options = z.record(z.string().max(64), z.union([z.number(), z.boolean(), z.string().max(256)]));

export const boxLimits = z.strictObject({
  cpus: z.number().positive().optional(),
  memoryBytes: z.int().positive().optional(),
  pids: z.int().positive().optional(),
  scratchBytes: z.int().positive().optional(),
});

export const matchPayload = z.strictObject({
  env: z.string().max(64),
  /** Absent: `env` is built in. */
  environment: namedEnvironment.optional(),
  options,
  seed,
  episodes: z.int().min(1).max(1000),
  onFault: z.enum(["forfeit", "random"]),
  /** With `random`: a seat that did wrong this often forfeits; 0: never. */
  forfeitAfter: z.int().min(0),
  /** The same of moves that were not made in time. */
  forfeitTimeouts: z.int().min(0).optional(),
  /** 0: no bound. Past it the episode is truncated as the environment's own bound would. */
  maxSteps: z.int().min(0),
  tier: z.string().max(40),
  runtime: z.string().max(40).optional(),
  limits: boxLimits,
  actSeconds: z.number().positive().max(3600),
  startSeconds: z.number().positive().max(3600),
  /** The match's own deadline, in seconds: past it the outcome is `cancelled` with timedOut in the result. */
  matchSeconds: z.number().positive().max(86400),
  seats: z
    .array(
      z.strictObject({
        name: z.string().max(200),
        /** Of the bundle, a zip, in the server's store; without one the files are the image's own. */
        bundle: digest.optional(),
        /** The root of its box, for the tier `docker`. */
        image: z.string().max(500).optional(),
      }),
    )
    .min(1)
    .max(16),
  /** Whether the moves are sent while it is played. */
  live: z.boolean(),
});
export type MatchPayload = z.infer<typeof matchPayload>;

export const seatResult = z.strictObject({
  score: z.number().nullable(),
  rank: z.int().nullable(),
  faults: z.int().min(0),
  faultKinds: z.record(z.string().max(40), z.int().min(0)),
  /** What went wrong first, for people. */
  detail: z.string().max(2000),
  digest: z.string().max(64),
  /** Of the image that was its box's root. */
  root: z.string().max(100).optional(),
  /** From its questions to its answers; workers of old do not say it. */
  thoughtSeconds: z.number().min(0).optional(),
  cpuSeconds: z.number().min(0),
  peakMemoryBytes: z.number().min(0),
});
export const matchResult = z.strictObject({
  envVersion: z.int(),
  seats: z.array(seatResult).max(16),
  episodes: z.int().min(0),
  steps: z.int().min(0),
  replayHash: z.string().max(64),
  timedOut: z.boolean(),
  wallSeconds: z.number().min(0),
  engine: z.string().max(40),
  /** SandboxStamp, as it is. */
  sandbox: z.record(z.string(), z.unknown()).nullable(),
});
export type MatchJobResult = z.infer<typeof matchResult>;

export const validatePayload = z.strictObject({
  env: z.string().max(64),
  environment: namedEnvironment.optional(),
  options,
  bundle: digest,
  tier: z.string().max(40),
  /** The root of its boxes, for the tier `docker`: that of the matches it is validated for. */
  image: z.string().max(500).optional(),
  limits: boxLimits,
  startSeconds: z.number().positive().max(3600),
  actSeconds: z.number().positive().max(3600),
  /** The policy's document (docs/validation.md); null: the default. */
  policy: z.record(z.string(), z.unknown()).nullable(),
});
export type ValidatePayload = z.infer<typeof validatePayload>;

export const validateResult = z.strictObject({
  valid: z.boolean(),
  errors: z.array(z.string().max(1000)).max(100),
  warnings: z.array(z.string().max(1000)).max(100),
});
export type ValidateResult = z.infer<typeof validateResult>;

/** Does nothing, for measuring what a job costs beside its own work, and for tests of the queue. */
export const noopPayload = z.strictObject({
  seconds: z.number().min(0).max(3600),
  /** How it ends. */
  end: z.enum(["completed", "agent_fault", "infra_fault"]),
});
export const noopResult = z.strictObject({});
