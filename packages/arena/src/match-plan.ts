/** What a match is asked to be, normalised once. */
import { MAX_REPLAY_STEPS } from "@lanista/games/replay-limits";
import type { Contender } from "./contender.ts";
import { type Playable, sourceOf } from "./episodes/built-in.ts";
import type { EpisodeSource } from "./episodes/episodes.ts";
import { isSeed, randomSeed } from "./seeds.ts";

export type OnFault = "forfeit" | "random";
export type OnTooLong = "refuse" | "end";
/** What happens to a box while its seat is not to move: its CPU time is charged to the seat, or it stands still. */
export type WhileWaiting = "charge" | "freeze";

export interface MatchRequest {
  readonly env: Playable;
  /** One for each seat, in the order of the seats. */
  readonly contenders: readonly Contender[];
  /** 0 … 2^53 − 1; default: drawn. */
  readonly seed?: number;
  readonly episodes?: number;
  readonly moveSeconds?: number;
  readonly bankSeconds?: number;
  readonly startSeconds?: number;
  readonly onFault?: OnFault;
  /** With on-fault `random`: the seat that has so many faults forfeits. 0, the default: never. */
  readonly forfeitAfter?: number;
  /** The same of moves that were not made in time (`timeout`, `cpu`): such faults cost time, and the match has but so much. */
  readonly forfeitTimeouts?: number;
  /** Steps after which the match truncates an episode that goes on; 0, the default, leaves that to the environment. */
  readonly maxSteps?: number;
  /** Seconds for the whole match, repeats included; past them it ends `cancelled` and `timedOut`. Default: no bound. */
  readonly matchSeconds?: number;
  /** What is done with a match longer than a replay can be: refused by an exception, or ended like one past its time. */
  readonly onTooLong?: OnTooLong;
  readonly whileWaiting?: WhileWaiting;
  /** How often a match is played at most, when a fault of ours ends it. */
  readonly attempts?: number;
  /** The replay's file; gzipped if it ends in .gz. The seats' logs go beside it, if `logs` names no other folder. */
  readonly replay?: string;
  /** The folder of the seats' logs. */
  readonly logs?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: MatchProgress) => void;
  /** Each line of the replay, without its newline, as it is written; a repeated match begins anew. Must not throw. */
  readonly onReplayLine?: (line: string) => void;
  /** What a seat writes to standard error, as it comes and as far as it is kept: at most MAX_LOG bytes. Must not throw. */
  readonly onLog?: (seat: number, chunk: Buffer) => void;
  /** A seat's agent is ready, so many milliseconds after its box was asked for. Must not throw. */
  readonly onReady?: (seat: number, milliseconds: number) => void;
  /** A step was made: so long it took from asking those who were to act until it was recorded. Must not throw. */
  readonly onStep?: (milliseconds: number) => void;
}

export type MatchProgress =
  | { readonly kind: "started"; readonly attempt: number }
  | { readonly kind: "episode"; readonly episode: number; readonly returns: readonly number[] }
  | { readonly kind: "repeat"; readonly detail: string };

type Unset = "replay" | "logs" | "signal" | "onProgress" | "onReplayLine" | "onLog" | "onReady" | "onStep";
export type MatchPlan = Required<Omit<MatchRequest, Unset | "env">> &
  Pick<MatchRequest, Unset> & { readonly source: EpisodeSource };

function check(ok: boolean, message: string): void {
  if (!ok) throw new RangeError(message);
}

/** Fills in the defaults. Throws a RangeError that names what is out of its range. */
export function planMatch({ env, ...request }: MatchRequest): MatchPlan {
  const plan: MatchPlan = {
    ...request,
    source: sourceOf(env),
    seed: request.seed ?? randomSeed(),
    episodes: request.episodes ?? 1,
    moveSeconds: request.moveSeconds ?? 5,
    bankSeconds: request.bankSeconds ?? 0,
    startSeconds: request.startSeconds ?? 30,
    onFault: request.onFault ?? "forfeit",
    forfeitAfter: request.forfeitAfter ?? 0,
    forfeitTimeouts: request.forfeitTimeouts ?? 0,
    maxSteps: request.maxSteps ?? 0,
    matchSeconds: request.matchSeconds ?? Number.POSITIVE_INFINITY,
    onTooLong: request.onTooLong ?? "refuse",
    whileWaiting: request.whileWaiting ?? "charge",
    attempts: request.attempts ?? 3,
  };
  const { id, views } = plan.source;
  const seats = views.length;
  const given = plan.contenders.length;
  check(given === seats, `${id} has ${seats} ${seats === 1 ? "seat" : "seats"}, but ${given} agents were given`);
  check(isSeed(plan.seed), `a seed is an integer in 0 … 2^53 − 1, not ${plan.seed}`);
  check(Number.isInteger(plan.episodes) && plan.episodes >= 1, `episodes must be an integer of at least 1`);
  check(Number.isInteger(plan.attempts) && plan.attempts >= 1, `attempts must be an integer of at least 1`);
  check(plan.moveSeconds > 0 && plan.moveSeconds <= 86_400, "the time for a move must be in (0, 86400] seconds");
  check(plan.startSeconds > 0 && plan.startSeconds <= 86_400, "the time to start must be in (0, 86400] seconds");
  for (const name of ["forfeitAfter", "forfeitTimeouts"] as const)
    check(Number.isInteger(plan[name]) && plan[name] >= 0, `${name} must be an integer of at least 0`);
  check(
    Number.isInteger(plan.maxSteps) && plan.maxSteps >= 0 && plan.maxSteps <= MAX_REPLAY_STEPS,
    `maxSteps must be an integer in 0 … ${MAX_REPLAY_STEPS}`,
  );
  const bounded = plan.matchSeconds <= 864_000 || plan.matchSeconds === Number.POSITIVE_INFINITY;
  check(plan.matchSeconds > 0 && bounded, "the time for the match must be in (0, 864000] seconds, or infinite");
  check(plan.bankSeconds >= 0 && plan.bankSeconds <= 1e6, "the time bank must be in 0 … 1000000 seconds");
  return plan;
}
