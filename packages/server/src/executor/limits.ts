/**
 * What the lines of a limits.yaml become here. Most are bounds of a box or a match; some ask for less than every box has
 * anyway, and those are satisfied more strictly: `notes` says so, once, when the server starts.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MatchPayload } from "../jobs/payloads.ts";
import type { LimitsFile } from "./limits-schema.ts";

const MIB = 2 ** 20;

export interface ExecutorLimits {
  readonly box: MatchPayload["limits"];
  readonly actSeconds: number;
  readonly startSeconds: number;
  readonly matchSeconds: number;
  readonly maxSteps: number;
  /** Of an agent's code, packed or in a folder. */
  readonly codeBytes: number;
  /** Where code lies while it is taken in. */
  readonly tmpDir: string;
  /** Where replays are written as well; empty: nowhere. */
  readonly replayDir: string;
  /** The root of agents that come as code, where the tier is `docker`; empty: the tier's own. */
  readonly image: string;
  readonly validation: LimitsFile["validation"];
  readonly replay: LimitsFile["replay"];
  readonly logging: LimitsFile["logging"];
  /** Lines that are satisfied more strictly than they ask, or not at all, as sentences. */
  readonly notes: readonly string[];
}

/** `tier`: the one that boxes get where nothing else is asked for. */
export function limitsOf(file: LimitsFile, tier: string): ExecutorLimits {
  const { resource_limits: resources, sandbox } = file;
  const quota = resources.cpu_quota === -1 ? Number.POSITIVE_INFINITY : resources.cpu_quota / resources.cpu_period;
  return {
    box: {
      cpus: Math.min(resources.cpu_count, quota),
      memoryBytes: resources.memory_limit,
      pids: resources.pids_limit,
    },
    actSeconds: resources.step_timeout_sec,
    startSeconds: resources.init_timeout_sec,
    matchSeconds: resources.match_timeout_sec,
    maxSteps: resources.max_steps_per_match,
    codeBytes: Math.floor(sandbox.max_code_size_mb * MIB),
    tmpDir: sandbox.tmp_dir === "" ? join(tmpdir(), "lanista-executor") : sandbox.tmp_dir,
    replayDir: sandbox.replay_dir,
    image: sandbox.docker_image,
    validation: file.validation,
    replay: file.replay,
    logging: file.logging,
    notes: [...notesOf(file, tier)],
  };
}

/** The root of code in boxes of a tier; empty: the tier's own. */
export function rootOf({ image }: Pick<ExecutorLimits, "image">, tier: string): string {
  return tier === "docker" ? image : "";
}

function* notesOf({ resource_limits: resources, sandbox }: LimitsFile, tier: string): Iterable<string> {
  if (resources.memory_swap === -1 || resources.memory_swap > resources.memory_limit)
    yield "resource_limits.memory_swap: boxes get no swap at all";
  if (!resources.network_disabled) yield "resource_limits.network_disabled: boxes have no network, whatever it says";
  if (!sandbox.use_docker) yield "sandbox.use_docker: agents run in boxes, whatever it says";
  if (sandbox.docker_image !== "" && tier !== "docker")
    yield `sandbox.docker_image: is for the tier docker, so for matches with an agent that is an image; this server's own tier is ${tier}, whose root the worker chooses`;
  if (!sandbox.read_only_root) yield "sandbox.read_only_root: a box's root is read-only, whatever it says";
  if (!sandbox.drop_capabilities) yield "sandbox.drop_capabilities: boxes have none, whatever it says";
  if (!sandbox.no_new_privileges) yield "sandbox.no_new_privileges: boxes gain none, whatever it says";
}

export interface MatchTimes {
  readonly matchSeconds: number;
  readonly startSeconds: number;
  readonly actSeconds: number;
  /** Moves not made in time that lose a seat the match; at least 1. */
  readonly forfeitTimeouts: number;
}

/**
 * The times of one match. `asked`: the caller's timeout in seconds; 0: the file's, which is also the most. An agent that
 * does not answer must be found guilty before the match's own deadline, or hanging would undo a match that is being lost:
 * so starting takes a quarter of the match at most, and the moves of all seats that were not made in time another half.
 */
export function timesOf(limits: ExecutorLimits, asked: number, seats: number): MatchTimes {
  const matchSeconds = asked === 0 ? limits.matchSeconds : Math.min(asked, limits.matchSeconds);
  const share = matchSeconds / 2 / seats;
  const actSeconds = Math.min(limits.actSeconds, share);
  return {
    matchSeconds,
    startSeconds: Math.min(limits.startSeconds, matchSeconds / 4),
    actSeconds,
    forfeitTimeouts: Math.max(1, Math.floor(share / actSeconds)),
  };
}
