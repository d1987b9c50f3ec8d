/** The host's lines of the agent protocol (docs/agent-protocol.md), each with its newline. */
import type { EpisodeSource } from "./episodes/episodes.ts";
import { spaceJson } from "./episodes/spaces.ts";

export const PROTOCOL = 1;

export interface StartFacts {
  readonly source: EpisodeSource;
  readonly seat: number;
  readonly seed: number;
  /** Where the agent finds its files. */
  readonly agentPath: string;
  /** The agent's entry file, relative to that. */
  readonly entry: string;
  readonly startMs: number;
  readonly moveMs: number;
  readonly bankMs: number;
}

export function startLine(facts: StartFacts): string {
  const { id, version, options, views } = facts.source;
  const { action, observation, masked } = views[facts.seat]!;
  return `${JSON.stringify({
    type: "start",
    protocol: PROTOCOL,
    env: { id, version, options },
    seat: facts.seat,
    seats: views.length,
    seed: facts.seed,
    action_space: spaceJson(action),
    observation_space: spaceJson(observation),
    masked,
    agent_dir: facts.agentPath,
    entry: facts.entry,
    limits: {
      start_seconds: facts.startMs / 1000,
      move_seconds: facts.moveMs / 1000,
      bank_seconds: facts.bankMs / 1000,
    },
  })}\n`;
}

/** Put together by hand: this is the one line that is written thousands of times a second. `seen`: the observation as JSON. */
export function actLine(
  id: number,
  episode: number,
  step: number,
  seen: string,
  mask: Uint8Array | undefined,
  reward: number,
): string {
  const legal = mask === undefined ? "" : `,"action_mask":[${mask.join(",")}]`;
  return `{"type":"act","id":${id},"episode":${episode},"step":${step},"observation":${seen}${legal},"reward":${reward}}\n`;
}

export function episodeEndLine(
  episode: number,
  reward: number,
  total: number,
  terminated: boolean,
  truncated: boolean,
): string {
  return `{"type":"episode_end","episode":${episode},"reward":${reward},"return":${total},"terminated":${terminated},"truncated":${truncated}}\n`;
}
