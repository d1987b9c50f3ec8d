/** Payload and result of the kind `env_check`, and how other jobs name an environment that was handed in. docs/bundled-environments.md. */
import { environmentOptions } from "@lanista/arena/bundled/manifest";
import { z } from "zod";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const TIB = 2 ** 40;
/** Of the options' JSON, as UTF-16 counts them. */
const MOST_OPTIONS = 65_536;

/** In the payload of a match or a validation. */
export const namedEnvironment = z.strictObject({
  /** Of the bundle, a zip, in the server's store. */
  bundle: digest,
  /** Over its files, as replays name it: what a worker unpacks must have it. */
  files: digest,
});

export const envCheckPayload = z.strictObject({
  environment: digest,
  tier: z.string().max(40),
  episodes: z.int().min(1).max(1000),
  seed: z.int().min(0),
});
export type EnvCheckPayload = z.infer<typeof envCheckPayload>;

/** What its manifest says and the environment says of itself, as far as the server needs it: believed within these bounds. */
export const envSummary = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  version: z.int().min(1).max(1e9),
  title: z.string().max(200),
  description: z.string().max(2000),
  files: digest,
  options: environmentOptions.refine((options) => JSON.stringify(options).length <= MOST_OPTIONS, "too long"),
  seats: z
    .array(
      z.strictObject({
        name: z.string().max(200),
        /** Spaces in words. */
        action: z.string().max(500),
        observation: z.string().max(500),
      }),
    )
    .min(1)
    .max(31),
  /** The manifest names the seats: no option changes how many there are. */
  seatsFixed: z.boolean(),
  memoryBytes: z.int().positive().max(TIB),
  cpus: z.number().positive().max(256),
  /** That it may take until its first episode has begun. */
  openSeconds: z.number().positive().max(7200),
  /** It asks for packages, which may have to be built first. */
  packages: z.boolean(),
});
export type EnvSummary = z.infer<typeof envSummary>;

export const envCheckResult = z.strictObject({
  ok: z.boolean(),
  findings: z
    .array(z.strictObject({ check: z.string().max(40), where: z.string().max(100), message: z.string().max(2500) }))
    .max(20),
  /** null where there is no manifest to be read, or it was never opened. */
  summary: envSummary.nullable(),
});
export type EnvCheckResult = z.infer<typeof envCheckResult>;
