/** What a match is asked to be, normalised once. */
import type { Environment } from "@lanista/games/environment";
import type { Contender } from "./contender.ts";
import { isSeed, randomSeed } from "./seeds.ts";

export type OnFault = "forfeit" | "random";
/** What happens to a box while its seat is not to move: its CPU time is charged to the seat, or it stands still. */
export type WhileWaiting = "charge" | "freeze";

export interface MatchRequest {
  readonly env: Environment;
  /** One for each seat, in the order of the seats. */
  readonly contenders: readonly Contender[];
  /** 0 … 2^53 − 1; default: drawn. */
  readonly seed?: number;
  readonly episodes?: number;
  readonly moveSeconds?: number;
  readonly bankSeconds?: number;
  readonly startSeconds?: number;
  readonly onFault?: OnFault;
  readonly whileWaiting?: WhileWaiting;
  /** How often a match is played at most, when a fault of ours ends it. */
  readonly attempts?: number;
  /** The replay's file; gzipped if it ends in .gz. The seats' logs go beside it, if `logs` names no other folder. */
  readonly replay?: string;
  /** The folder of the seats' logs. */
  readonly logs?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: MatchProgress) => void;
}

export type MatchProgress =
  | { readonly kind: "started"; readonly attempt: number }
  | { readonly kind: "episode"; readonly episode: number; readonly returns: readonly number[] }
  | { readonly kind: "repeat"; readonly detail: string };

export type MatchPlan = Required<Omit<MatchRequest, "replay" | "logs" | "signal" | "onProgress">> &
  Pick<MatchRequest, "replay" | "logs" | "signal" | "onProgress">;

function check(ok: boolean, message: string): void {
  if (!ok) throw new RangeError(message);
}

/** Fills in the defaults. Throws a RangeError that names what is out of its range. */
export function planMatch(request: MatchRequest): MatchPlan {
  const plan: MatchPlan = {
    ...request,
    seed: request.seed ?? randomSeed(),
    episodes: request.episodes ?? 1,
    moveSeconds: request.moveSeconds ?? 5,
    bankSeconds: request.bankSeconds ?? 0,
    startSeconds: request.startSeconds ?? 30,
    onFault: request.onFault ?? "forfeit",
    whileWaiting: request.whileWaiting ?? "charge",
    attempts: request.attempts ?? 3,
  };
  const { seats } = plan.env.info;
  const given = plan.contenders.length;
  const { id } = plan.env.definition;
  check(given === seats, `${id} has ${seats} ${seats === 1 ? "seat" : "seats"}, but ${given} agents were given`);
  check(isSeed(plan.seed), `a seed is an integer in 0 … 2^53 − 1, not ${plan.seed}`);
  check(Number.isInteger(plan.episodes) && plan.episodes >= 1, `episodes must be an integer of at least 1`);
  check(Number.isInteger(plan.attempts) && plan.attempts >= 1, `attempts must be an integer of at least 1`);
  check(plan.moveSeconds > 0 && plan.moveSeconds <= 86_400, "the time for a move must be in (0, 86400] seconds");
  check(plan.startSeconds > 0 && plan.startSeconds <= 86_400, "the time to start must be in (0, 86400] seconds");
  check(plan.bankSeconds >= 0 && plan.bankSeconds <= 1e6, "the time bank must be in 0 … 1000000 seconds");
  return plan;
}
