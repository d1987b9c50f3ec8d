/**
 * A replay as RL Arena's users know it: metadata, one frame for each step, and the summary statistics of its library. What
 * agents saw comes from a re-run by the rules, so a replay that does not verify has no such form.
 */

import { type BuiltInStep, verifyReplay } from "@lanista/arena/replay-verify";
import type { Environment, EnvironmentDefinition, State } from "@lanista/games/environment";
import type { Replay } from "@lanista/games/replay-types";
import type { LimitsFile } from "./limits-schema.ts";

export interface ReplayAbout {
  /** The caller's own name for the match. */
  readonly matchId: string;
  readonly agents: readonly { readonly agent_id: string; readonly version: string }[];
  /** Seconds since 1970. */
  readonly startTime: number;
  readonly endTime: number;
  readonly winner: string | null;
  readonly status: "completed" | "timeout" | "error" | "cancelled";
}

interface Frame {
  readonly frame_number: number;
  /** Seconds since 1970: the start, and the thinking of all steps up to this one. */
  readonly timestamp: number;
  /** What each agent saw after the step. */
  readonly observations: Readonly<Record<string, unknown>>;
  /** Of the agents that were to act. */
  readonly actions: Readonly<Record<string, number>>;
  readonly rewards: Readonly<Record<string, number>>;
  readonly done: boolean;
  /** `faults`: agents whose action is a random one in the place of theirs, and why. `think_ms`: how long each took. */
  readonly info: {
    readonly think_ms: Readonly<Record<string, number>>;
    readonly faults?: Readonly<Record<string, string>>;
  };
}

interface AgentStatistics {
  total_reward: number;
  avg_reward: number;
  actions: number;
  errors: number;
  avg_think_ms: number;
  max_think_ms: number;
}

export interface ReplayDocument {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly frames: readonly Frame[];
  readonly version: "1.0";
  readonly statistics: Readonly<Record<string, unknown>>;
}

/** null where the rules contradict the replay. `environments`: by id. */
export function replayDocument(
  replay: Replay,
  environments: ReadonlyMap<string, EnvironmentDefinition>,
  about: ReplayAbout,
  options: LimitsFile["replay"],
): ReplayDocument | null {
  let frames: Frames | undefined;
  const verdict = verifyReplay(replay, environments, (env) => {
    frames = new Frames(env, replay, about, options);
    return frames;
  });
  if (!verdict.ok || frames === undefined) return null;
  const { matchId, agents, startTime, endTime, winner, status } = about;
  const forfeits = replay.episodes.at(-1)?.forfeit?.faults ?? [];
  return {
    metadata: {
      match_id: matchId,
      environment: replay.header.env.id,
      agents: agents.map(({ agent_id, version }, seat) => {
        const root = replay.header.seats[seat]?.root;
        return { agent_id, version, ...(root === undefined ? {} : { image_digest: root }) };
      }),
      start_time: startTime,
      end_time: endTime,
      total_steps: frames.steps,
      winner,
      status,
      scores: bySeat(about, (seat) => replay.final.scores[seat] ?? null),
      forfeits: bySeat(about, (seat) => forfeits[seat] ?? undefined),
    },
    frames: frames.frames,
    version: "1.0",
    statistics: {
      match_id: matchId,
      total_frames: frames.frames.length,
      duration_sec: endTime - startTime,
      winner,
      status,
      agent_stats: frames.statistics(),
    },
  };
}

/** An object by the agents' names; `undefined` leaves one out. */
function bySeat<T>(about: ReplayAbout, value: (seat: number) => T | undefined): Record<string, T> {
  const entries = about.agents.flatMap(({ agent_id: name }, seat): [string, T][] => {
    const one = value(seat);
    return one === undefined ? [] : [[name, one]];
  });
  return Object.fromEntries(entries);
}

class Frames {
  readonly frames: Frame[] = [];
  steps = 0;
  readonly #env: Environment;
  readonly #about: ReplayAbout;
  readonly #options: LimitsFile["replay"];
  readonly #seen: Float64Array;
  readonly #totals: AgentStatistics[];
  readonly #episodes: readonly number[];
  #inEpisode = 0;
  #thoughtMs = 0;

  constructor(env: Environment, replay: Replay, about: ReplayAbout, options: LimitsFile["replay"]) {
    this.#env = env;
    this.#about = about;
    this.#options = options;
    this.#seen = new Float64Array(env.observationSize());
    this.#episodes = replay.episodes.map(({ steps, end }) => (end === null ? -1 : steps.length));
    this.#totals = about.agents.map(() => ({
      total_reward: 0,
      avg_reward: 0,
      actions: 0,
      errors: 0,
      avg_think_ms: 0,
      max_think_ms: 0,
    }));
  }

  visit(state: State, episode: number, step: BuiltInStep | null): void {
    if (step === null) {
      this.#inEpisode = 0;
      return;
    }
    this.steps++;
    this.#inEpisode++;
    this.#count(state, step);
    if (this.frames.length >= this.#options.max_frames) return;
    const { include_observations: observations, include_actions: actions } = this.#options;
    const faults = step.faults ?? [];
    this.frames.push({
      frame_number: this.frames.length,
      timestamp: this.#about.startTime + this.#thoughtMs / 1000,
      observations: observations ? bySeat(this.#about, (seat) => this.#observation(state, seat)) : {},
      actions: actions ? bySeat(this.#about, (seat) => step.actions[seat] ?? undefined) : {},
      rewards: bySeat(this.#about, (seat) => this.#env.reward(state, seat)),
      done: this.#inEpisode === this.#episodes[episode],
      info: {
        think_ms: bySeat(this.#about, (seat) => step.thinkMs[seat] ?? undefined),
        ...(faults.some((fault) => fault !== null)
          ? { faults: bySeat(this.#about, (seat) => faults[seat] ?? undefined) }
          : {}),
      },
    });
  }

  #count(state: State, step: BuiltInStep): void {
    let longest = 0;
    for (const [seat, total] of this.#totals.entries()) {
      total.total_reward += this.#env.reward(state, seat);
      if ((step.actions[seat] ?? null) === null) continue;
      const thoughtMs = step.thinkMs[seat] ?? 0;
      total.actions++;
      total.avg_think_ms += thoughtMs;
      total.max_think_ms = Math.max(total.max_think_ms, thoughtMs);
      if ((step.faults?.[seat] ?? null) !== null) total.errors++;
      longest = Math.max(longest, thoughtMs);
    }
    this.#thoughtMs += longest;
  }

  statistics(): Record<string, AgentStatistics> {
    return bySeat(this.#about, (seat) => {
      const total = this.#totals[seat]!;
      return {
        ...total,
        avg_reward: this.steps === 0 ? 0 : total.total_reward / this.steps,
        avg_think_ms: total.actions === 0 ? 0 : total.avg_think_ms / total.actions,
      };
    });
  }

  /** As NumPy's `tolist` gives it: lists in lists by the space's shape. */
  #observation(state: State, seat: number): unknown {
    this.#env.observe(state, seat, this.#seen);
    const { observation } = this.#env.info;
    return observation.type === "Discrete" ? this.#seen[0] : folded(Array.from(this.#seen), observation.shape);
  }
}

function folded(flat: readonly number[], shape: readonly number[]): unknown {
  const [extent, ...inner] = shape;
  if (extent === undefined) return flat[0];
  if (inner.length === 0) return flat;
  const size = flat.length / extent;
  return Array.from({ length: extent }, (_, i) => folded(flat.slice(i * size, (i + 1) * size), inner));
}
