/** Matches of hostile agents against an honest one, each in its own box of a real runtime. */
import type { Contender } from "@lanista/arena/contender";
import { playMatch } from "@lanista/arena/match";
import type { MatchRequest } from "@lanista/arena/match-plan";
import type { MatchResult } from "@lanista/arena/result";
import { makeEnvironment } from "@lanista/games/environment";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import type { Limits } from "@lanista/sandbox/types";
import { type Stage, start, type TestedRuntime } from "./boxes.ts";

/** Room enough for an honest agent, little enough for a hostile one to be ended soon. */
const LIMITS: Partial<Limits> = {
  memoryBytes: 96 * 1024 * 1024,
  pids: 24,
  scratchBytes: 8 * 1024 * 1024,
  outputBytes: 8 * 1024 * 1024,
  wallSeconds: 60,
};

export function contender(stage: Stage, runtime: TestedRuntime, way: string, limits: Partial<Limits> = {}): Contender {
  return {
    name: way,
    digest: "0".repeat(64),
    entry: "agent.py",
    open: () => start(stage, { runtime, file: "agent.py", args: [way], limits: { ...LIMITS, ...limits } }),
  };
}

export async function match(
  stage: Stage,
  runtime: TestedRuntime,
  ways: readonly string[],
  more: Partial<MatchRequest> = {},
  limits: Partial<Limits> = {},
): Promise<MatchResult> {
  const contenders = ways.map((way) => contender(stage, runtime, way, limits));
  const env = makeEnvironment(ticTacToe as never);
  const { result } = await playMatch({ env, contenders, seed: 1, moveSeconds: 1, startSeconds: 20, ...more });
  return result;
}
