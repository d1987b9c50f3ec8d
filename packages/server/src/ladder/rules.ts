/** A ladder's rules as they are stored: complete, every default filled in when the ladder was made. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { LanistaError } from "@lanista/api/errors";
import type { SeatLimits } from "@lanista/api/gen/lanista/v1/common_pb";
import type { LadderRules, LadderRulesSchema } from "@lanista/api/gen/lanista/v1/ladders_pb";
import { makeEnvironment } from "@lanista/games/environment";
import { OptionError, type Options } from "@lanista/games/options";
import { environments } from "@lanista/games/registry";
import { z } from "zod";
import { namedEnvironment } from "../jobs/environment-payloads.ts";
import { boxLimits } from "../jobs/payloads.ts";

/** What was known of a bundled environment when the ladder was given it: a ladder stays with the files that it began with. */
const storedEnvironment = namedEnvironment.extend({
  /** Its row's. */
  id: z.string(),
  memoryBytes: z.int(),
  cpus: z.number(),
  /** Of an attempt, beside what the match may take. */
  openSeconds: z.number(),
});
export type StoredEnvironment = z.infer<typeof storedEnvironment>;

export const storedRules = z.strictObject({
  env: z.string(),
  /** Absent: `env` is built in. */
  environment: storedEnvironment.optional(),
  options: z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])),
  seats: z.int(),
  episodes: z.int(),
  limits: boxLimits,
  actSeconds: z.number(),
  startSeconds: z.number(),
  matchSeconds: z.number(),
  queue: z.string(),
  tier: z.string(),
  placementMatches: z.int(),
  /** 0: none. */
  cooldownSeconds: z.int(),
  dailyMatches: z.int(),
  agentsPerParticipant: z.int(),
  parallelMatches: z.int(),
  enoughSigma: z.number(),
});
export type StoredRules = z.infer<typeof storedRules>;

export const TIERS = ["container", "gvisor", "docker", "none"];
const MAX_OPTIONS = 4096;
/** That a match's payload has room for. */
const MOST_SEATS = 16;

/** Of a ladder's row. */
export function ladderRules(ladder: { readonly rules: unknown }): StoredRules {
  return storedRules.parse(ladder.rules);
}

/** What a ladder may be played in, its options fixed. */
export interface LadderEnvironment {
  readonly env: string;
  readonly options: Options;
  readonly seats: number;
  /** Of a bundled one. */
  readonly environment?: StoredEnvironment;
}

/** Zeros and empty strings become the defaults. Throws LanistaError `invalid`, naming the field. */
export function rulesFrom(rules: LadderRules, env: LadderEnvironment): StoredRules {
  const { seats } = env;
  if (seats < 2)
    throw new LanistaError("invalid", `${env.env} has one seat: a ladder rates agents by how they do against others`, {
      field: "rules.env",
    });
  if (seats > MOST_SEATS)
    throw new LanistaError("invalid", `${env.env} has ${seats} seats: a ladder's matches have ${MOST_SEATS} at most`, {
      field: "rules.env",
    });
  if (rules.seats !== 0 && rules.seats !== seats)
    throw new LanistaError("invalid", `${env.env} has ${seats} seats with these options, not ${rules.seats}`, {
      field: "rules.seats",
    });
  if (rules.tier !== "" && !TIERS.includes(rules.tier))
    throw new LanistaError("invalid", `"${rules.tier}" is no tier; there are ${TIERS.join(", ")}`, {
      field: "rules.tier",
    });
  const actSeconds = (rules.limits?.actMs || 5000) / 1000;
  const ownStartSeconds = (rules.limits?.startMs ?? 0) / 1000;
  // Twice each seat's longest move, so that a deadline always tells who used the time up (the arena's dawdling.ts); and more than twice
  // its start, which is in no replay: else who starts slowly and then uses up his part could end a match that way.
  const leastSeconds = Math.ceil(Math.max(2 * seats * actSeconds, 2.5 * ownStartSeconds));
  if (rules.matchSeconds !== 0 && rules.matchSeconds < leastSeconds)
    throw new LanistaError(
      "invalid",
      `a match of ${seats} seats with ${actSeconds} s for a move${ownStartSeconds > 0 ? ` and ${ownStartSeconds} s to start` : ""} takes at least ${leastSeconds} s`,
      {
        field: "rules.match_seconds",
        hint: "Give the match more time, or a move or the start less (rules.limits.act_ms, start_ms).",
      },
    );
  const matchSeconds = rules.matchSeconds || Math.max(600, leastSeconds);
  return {
    env: env.env,
    ...(env.environment === undefined ? {} : { environment: env.environment }),
    options: env.options,
    seats,
    episodes: rules.episodes || 1,
    limits: limitsFrom(rules.limits),
    actSeconds,
    startSeconds: ownStartSeconds || Math.min(30, matchSeconds / 3),
    matchSeconds,
    queue: rules.queue || "default",
    tier: rules.tier || "container",
    placementMatches: rules.placementMatches || 10,
    cooldownSeconds: rules.cooldownSeconds < 0 ? 0 : rules.cooldownSeconds || 60,
    dailyMatches: rules.dailyMatches || 200,
    agentsPerParticipant: rules.agentsPerParticipant || 1,
    parallelMatches: rules.parallelMatches || 4,
    enoughSigma: rules.enoughSigma || 1.2,
  };
}

export function rulesMessage(stored: StoredRules): MessageInitShape<typeof LadderRulesSchema> {
  const { limits } = stored;
  return {
    env: stored.env,
    environmentId: stored.environment?.id ?? "",
    optionsJson: JSON.stringify(stored.options),
    seats: stored.seats,
    episodes: stored.episodes,
    limits: {
      cpus: limits.cpus ?? 0,
      memoryBytes: BigInt(limits.memoryBytes ?? 0),
      pids: limits.pids ?? 0,
      scratchBytes: BigInt(limits.scratchBytes ?? 0),
      actMs: Math.round(stored.actSeconds * 1000),
      startMs: Math.round(stored.startSeconds * 1000),
    },
    matchSeconds: stored.matchSeconds,
    queue: stored.queue,
    tier: stored.tier,
    placementMatches: stored.placementMatches,
    cooldownSeconds: stored.cooldownSeconds || -1,
    dailyMatches: stored.dailyMatches,
    agentsPerParticipant: stored.agentsPerParticipant,
    parallelMatches: stored.parallelMatches,
    enoughSigma: stored.enoughSigma,
  };
}

/** Throws LanistaError `invalid`. */
export function builtInEnvironment({ env: id, optionsJson }: LadderRules): LadderEnvironment {
  const definition = environments.get(id);
  if (definition === undefined)
    throw new LanistaError("invalid", `there is no environment "${id}"`, {
      field: "rules.env",
      hint: `There are ${[...environments.keys()].join(", ")}.`,
    });
  const { options, info } = withOptions(() => makeEnvironment(definition, optionsOf(optionsJson)));
  return { env: id, options, seats: info.seats };
}

/** Throws LanistaError `invalid` in the place of an OptionError. */
export function withOptions<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new LanistaError("invalid", error.message, { field: "rules.options_json" });
  }
}

/** Throws LanistaError `invalid`. */
export function optionsOf(text: string): Record<string, unknown> {
  if (text === "") return {};
  const wrong = new LanistaError("invalid", "the options are no JSON object", { field: "rules.options_json" });
  if (text.length > MAX_OPTIONS) throw wrong;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong;
  return value as Record<string, unknown>;
}

function limitsFrom(limits: SeatLimits | undefined): StoredRules["limits"] {
  if (limits === undefined) return {};
  return {
    ...(limits.cpus > 0 ? { cpus: limits.cpus } : {}),
    ...(limits.memoryBytes > 0n ? { memoryBytes: Number(limits.memoryBytes) } : {}),
    ...(limits.pids > 0 ? { pids: limits.pids } : {}),
    ...(limits.scratchBytes > 0n ? { scratchBytes: Number(limits.scratchBytes) } : {}),
  };
}
