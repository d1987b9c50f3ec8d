/**
 * A round robin between agents: several matches at a time, each by itself, with a seed of its own.
 * A fault of ours in one match leaves the others alone; what cannot be had on this host at all ends the tournament.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Contender } from "./contender.ts";
import { sourceOf } from "./episodes/built-in.ts";
import { playMatch } from "./match.ts";
import type { MatchRequest } from "./match-plan.ts";
import { type Pairing, roundRobin } from "./pairings.ts";
import type { MatchResult, MatchStamp } from "./result.ts";
import { matchSeed, randomSeed } from "./seeds.ts";
import { type Standing, standings } from "./standings.ts";

export interface TournamentRequest
  extends Omit<MatchRequest, "contenders" | "seed" | "replay" | "logs" | "onProgress"> {
  /** At least as many as the environment has seats. */
  readonly contenders: readonly Contender[];
  readonly rounds?: number;
  /** Matches at a time; default: as many as the CPUs can seat. */
  readonly concurrency?: number;
  /**
   * 0 … 2^53 − 1: every match's seed comes from it. Default: each match's is drawn by itself, so that nobody can compute those to
   * come from those in replays that are out already.
   */
  readonly seed?: number;
  /** A folder for every match's replay and logs. */
  readonly replays?: string;
  readonly onProgress?: (progress: TournamentProgress) => void;
}

export interface TournamentProgress {
  readonly done: number;
  readonly total: number;
  /** The match that has just ended. */
  readonly match: TournamentMatch;
}

export interface TournamentMatch {
  /** Counts from 0, in the order of the schedule. */
  readonly number: number;
  readonly round: number;
  /** Agents' indices, in the order of the seats. */
  readonly agents: readonly number[];
  readonly result: MatchResult;
}

export interface TournamentResult {
  readonly env: string;
  readonly envVersion: number;
  readonly options: MatchResult["options"];
  /** The one that was given; null where each match drew its own, which stands in the match's result. */
  readonly seed: number | null;
  readonly rounds: number;
  /** `digest` as their contenders have it: null for those that are part of an image, whose matches say which it was. */
  readonly agents: readonly Pick<Contender, "name" | "digest">[];
  readonly table: readonly Standing[];
  /** In the order of the schedule; those never begun are missing. */
  readonly matches: readonly TournamentMatch[];
  readonly cancelled: boolean;
  /** That of the first match with one. */
  readonly sandbox: MatchStamp | null;
  readonly wallSeconds: number;
}

function whole(value: number, what: string): number {
  if (!Number.isInteger(value) || value < 1)
    throw new RangeError(`${what} must be an integer of at least 1, not ${value}`);
  return value;
}

/** Throws as playMatch does; the matches that are running then are ended first. */
export async function playTournament(request: TournamentRequest): Promise<TournamentResult> {
  const began = performance.now();
  const { contenders, replays, onProgress, rounds: askedRounds, concurrency: askedConcurrency, ...common } = request;
  const { id, version, options, views } = sourceOf(request.env);
  const seats = views.length;
  if (contenders.length < seats)
    throw new RangeError(`a tournament of ${id} needs at least ${seats} agents, not ${contenders.length}`);
  const rounds = whole(askedRounds ?? 1, "rounds");
  const concurrency = whole(askedConcurrency ?? Math.max(1, Math.floor(availableParallelism() / seats)), "concurrency");
  const seed = request.seed ?? null;
  const schedule = roundRobin(contenders.length, seats, rounds);
  const stop = new AbortController();
  const signal = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
  const played: TournamentMatch[] = [];
  let next = 0;

  const play = async (pairing: Pairing, number: number): Promise<void> => {
    const name = `match-${String(number + 1).padStart(String(schedule.length).length, "0")}`;
    const { result } = await playMatch({
      ...common,
      contenders: pairing.agents.map((index) => contenders[index]!),
      seed: seed === null ? randomSeed() : matchSeed(seed, `${pairing.round}/${pairing.agents.join(",")}`),
      ...(replays === undefined ? {} : { replay: join(replays, `${name}.jsonl`) }),
      signal,
    });
    const match = { number, round: pairing.round, agents: pairing.agents, result };
    played.push(match);
    onProgress?.({ done: played.length, total: schedule.length, match });
  };
  const worker = async (): Promise<void> => {
    while (next < schedule.length && !signal.aborted) {
      const number = next++;
      await play(schedule[number]!, number);
    }
  };

  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(concurrency, schedule.length) }, () =>
      worker().catch((error: unknown) => {
        stop.abort();
        throw error;
      }),
    ),
  );
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  played.sort((a, b) => a.number - b.number);
  const names = contenders.map((contender) => contender.name);
  return {
    env: id,
    envVersion: version,
    options,
    seed,
    rounds,
    agents: contenders.map(({ name, digest }) => ({ name, digest })),
    table: standings(names, played),
    matches: played,
    cancelled: signal.aborted,
    sandbox: played.find((match) => match.result.sandbox !== null)?.result.sandbox ?? null,
    wallSeconds: (performance.now() - began) / 1000,
  };
}
