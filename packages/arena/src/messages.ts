/** The host's lines of the agent protocol (docs/agent-protocol.md), each with its newline. */
import type { Environment } from "@lanista/games/environment";
import type { Space } from "@lanista/games/space";

export const PROTOCOL = 1;

function bound(value: number | readonly number[]): unknown {
  if (typeof value !== "number") return value.map(bound);
  return Number.isFinite(value) ? value : String(value);
}

function spaceJson(space: Space): unknown {
  if (space.type === "Discrete") return space;
  return { type: "Box", shape: space.shape, dtype: space.dtype, low: bound(space.low), high: bound(space.high) };
}

export interface StartFacts {
  readonly env: Environment;
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
  const { env } = facts;
  return `${JSON.stringify({
    type: "start",
    protocol: PROTOCOL,
    env: { id: env.definition.id, version: env.definition.version, options: env.options },
    seat: facts.seat,
    seats: env.info.seats,
    seed: facts.seed,
    action_space: { type: "Discrete", n: env.info.actions },
    observation_space: spaceJson(env.info.observation),
    masked: env.info.everyActionLegal !== true,
    agent_dir: facts.agentPath,
    entry: facts.entry,
    limits: {
      start_seconds: facts.startMs / 1000,
      move_seconds: facts.moveMs / 1000,
      bank_seconds: facts.bankMs / 1000,
    },
  })}\n`;
}

/** Put together by hand: this is the one line that is written thousands of times a second. */
export function actLine(
  id: number,
  episode: number,
  step: number,
  observation: Float64Array,
  discrete: boolean,
  mask: Uint8Array | undefined,
  reward: number,
): string {
  const seen = discrete ? String(observation[0]) : `[${observation.join(",")}]`;
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
