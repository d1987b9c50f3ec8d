/**
 * One attempt at a match.
 *
 * Theory of operation. Boxes are opened for all seats at once, each agent says that it is ready, then the episodes are
 * played: the environment says who is to act, each of these is asked, the answers are judged here (never by the agent), the
 * step is made and recorded. The first thing that ends the attempt is its outcome; everything else derives from it.
 * Whatever happens, every box that was opened is ended and awaited before the attempt returns, the environment's own included, if
 * it has one. What goes wrong in there is nobody's fault who plays: an EnvironmentFault ends the attempt as an `infra_fault`.
 *
 * Faults in one step count together, so that two seats that fail at once are both guilty; so is one that died earlier and
 * was not asked since. If a seat is at fault and a box of another failed by our doing in the same step, the fault stands:
 * it does not depend on the other box.
 */
import { setTimeout as setTimer } from "node:timers";
import { setTimeout } from "node:timers/promises";
import { SeededChance } from "@lanista/games/chance";
import { ReplayWriter } from "@lanista/games/replay-writer";
import { SandboxError } from "@lanista/sandbox/errors";
import type { Usage } from "@lanista/sandbox/types";
import { BundleError } from "./agents/types.ts";
import { identityOf, type SeatIdentity } from "./contender.ts";
import { EnvironmentFault, type Episodes } from "./episodes/episodes.ts";
import type { HostClock } from "./host-clock.ts";
import { type Guilt, judge, substitute } from "./judge.ts";
import { addDead, addLatent, brokenBoxes } from "./latent-guilt.ts";
import type { MatchPlan } from "./match-plan.ts";
import type { Reply } from "./reply.ts";
import type { MatchStamp, Outcome } from "./result.ts";
import { forfeitReturns, ranksOf } from "./scoring.ts";
import { type FaultKinds, Seat } from "./seat.ts";
import { type BoxFailure, cleanDetail, failureOfOurs } from "./seat-fault.ts";
import { chanceKey, SubstituteActions } from "./seeds.ts";
import { sha256 } from "./sha256.ts";
import { ENGINE_VERSION } from "./version.ts";

/** How long other boxes are given to end too once one has failed by our doing: a host that breaks one may be breaking all. */
const BROKEN_MS = 250;

export interface SeatRecord extends SeatIdentity {
  readonly score: number | null;
  readonly rank: number | null;
  readonly faults: number;
  readonly faultKinds: FaultKinds;
  readonly firstFault: string | null;
  readonly thoughtMs: number;
  readonly usage: Usage | null;
  readonly log: Buffer;
  /** Bytes of it that were not kept. */
  readonly logCut: number;
}

export interface AttemptRecord {
  readonly outcome: Outcome;
  /** A bound of the match's own ended it. */
  readonly timedOut: boolean;
  readonly seats: readonly SeatRecord[];
  readonly stamp: MatchStamp | null;
  readonly episodes: number;
  readonly steps: number;
  readonly replayText: string;
  readonly hash: string;
  /** The last position, as text; null where no episode began. */
  readonly board: string | null;
  /** Of a bundled environment whose box came to life. */
  readonly environment?: { readonly stamp: MatchStamp; readonly log: Buffer };
}

function environmentsFault(error: EnvironmentFault): Outcome {
  const detail = cleanDetail(error.message);
  return error.ours ? { kind: "infra_fault", detail } : { kind: "infra_fault", detail, environment: true };
}

export class Attempt {
  readonly #plan: MatchPlan;
  readonly #host: HostClock;
  readonly #seats: Seat[] = [];
  readonly #substitutes: SubstituteActions;
  readonly #scores: number[];
  readonly #opening = new AbortController();
  #env: Episodes | undefined;
  #outcome: Outcome | undefined;
  #writer: ReplayWriter | undefined;
  /** Why the agents of some seats cannot even be tried. */
  readonly #unfit: Guilt[] = [];
  readonly #remainingMs: number;
  #openedMs = 0;
  #episodes = 0;
  #steps = 0;
  #began = false;
  #board: string | null = null;
  #timedOut = false;

  /** `remainingMs`: of the match's own time. */
  constructor(plan: MatchPlan, host: HostClock, remainingMs: number) {
    this.#remainingMs = remainingMs;
    this.#plan = plan;
    this.#host = host;
    this.#substitutes = new SubstituteActions(plan.seed);
    this.#scores = plan.contenders.map(() => 0);
  }

  /** Throws SandboxError `refused`: what was asked for cannot be had here. Everything else is in the record. */
  async play(): Promise<AttemptRecord> {
    const cancel = (): void => this.#cancel();
    const { signal, matchSeconds } = this.#plan;
    if (signal?.aborted) cancel();
    const timer =
      this.#remainingMs === Number.POSITIVE_INFINITY
        ? undefined
        : setTimer(
            () => this.#bound(`the match's own ${matchSeconds} seconds were over`),
            Math.max(0, this.#remainingMs),
          );
    signal?.addEventListener("abort", cancel);
    try {
      await this.#open();
      await this.#start();
      await this.#episodesLoop();
      this.#end({ kind: "completed" });
      if (this.#began) this.#board = await this.#env!.render();
    } catch (error) {
      if (!(error instanceof EnvironmentFault)) {
        await this.#close();
        throw error;
      }
      this.#end(environmentsFault(error));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
    }
    return this.#record(await this.#close());
  }

  #cancel(detail?: string): void {
    this.#end({ kind: "cancelled", ...(detail === undefined ? {} : { detail }) });
    // A seat whose box did not start is not there.
    for (const seat of this.#seats) seat?.cancel();
    this.#opening.abort();
    this.#env?.cancel();
  }

  /** Ends the match by a bound of its own. */
  #bound(detail: string): void {
    if (this.#outcome !== undefined) return;
    this.#timedOut = true;
    this.#cancel(detail);
  }

  #end(outcome: Outcome): void {
    this.#outcome ??= outcome;
  }

  async #open(): Promise<void> {
    if (this.#outcome !== undefined) return;
    const { contenders } = this.#plan;
    this.#openedMs = performance.now();
    const environment = this.#openEnvironment();
    const opened = await Promise.allSettled(contenders.map((contender) => contender.open()));
    const failure = await environment;
    let refusal: unknown;
    const failures: BoxFailure[] = [];
    for (const [index, result] of opened.entries()) {
      if (result.status === "fulfilled") {
        this.#seats[index] = new Seat(index, contenders[index]!, result.value, this.#plan, this.#host);
      } else if (result.reason instanceof BundleError) {
        const detail = cleanDetail(result.reason.message);
        this.#unfit.push({ kind: "fault", seat: index, fault: "start", detail, dead: true, thinkMs: 0 });
      } else if (result.reason instanceof SandboxError && result.reason.code === "refused") refusal ??= result.reason;
      else
        failures.push({
          seat: index,
          detail: `the box of seat ${index} could not be started: ${String(result.reason)}`,
        });
    }
    if (refusal !== undefined) throw refusal;
    if (failure !== undefined && !(failure instanceof EnvironmentFault)) throw failure;
    if (failures.length > 0) this.#end(failureOfOurs(failures));
    if (failure !== undefined) this.#end(environmentsFault(failure));
  }

  /** Gives back what went wrong. */
  async #openEnvironment(): Promise<unknown> {
    try {
      this.#env = await this.#plan.source.open(this.#opening.signal);
    } catch (error) {
      return error;
    }
    if (this.#outcome !== undefined) this.#env.cancel();
    return undefined;
  }

  async #start(): Promise<void> {
    const plan = this.#plan;
    const stamp = this.#stamp();
    const { source } = plan;
    this.#writer = new ReplayWriter(
      {
        engine: ENGINE_VERSION,
        env: {
          id: source.id,
          version: source.version,
          options: source.options,
          ...(source.bundle === undefined ? {} : { bundle: source.bundle }),
        },
        seed: plan.seed,
        chance: chanceKey(plan.seed),
        episodes: plan.episodes,
        ...(plan.maxSteps === 0 ? {} : { maxSteps: plan.maxSteps }),
        onFault: plan.onFault,
        seats: plan.contenders.map((one, seat) => ({ agent: one.name.slice(0, 200), ...this.#identity(seat) })),
        limits: { start: plan.startSeconds, move: plan.moveSeconds, bank: plan.bankSeconds },
        sandbox: stamp === null ? null : { tier: stamp.tier, runtime: stamp.runtime },
      },
      sha256,
      plan.onReplayLine,
    );
    if (this.#unfit.length > 0) this.#forfeit(this.#unfit, this.#zeros(), 0);
    if (this.#outcome !== undefined) return;
    const start = async (seat: Seat): Promise<Reply> => {
      const reply = await seat.start();
      if (reply.kind === "ready") plan.onReady?.(seat.index, performance.now() - this.#openedMs);
      return reply;
    };
    const replies = await Promise.all(this.#seats.map(start));
    const guilty = replies.flatMap((reply, seat) => (reply.kind === "fault" ? [{ seat, ...reply }] : []));
    await this.#endByFaults(guilty, replies, this.#zeros());
  }

  #stamp(): MatchStamp | null {
    const box = this.#seats.find((seat) => seat !== undefined)?.sandbox;
    if (box === undefined) return null;
    const { root: _, ...stamp } = box.stamp;
    return stamp;
  }

  #environment(): Pick<AttemptRecord, "environment"> {
    const env = this.#env;
    if (env?.box === undefined) return {};
    const { root: _, ...stamp } = env.box;
    return { environment: { stamp, log: env.log?.() ?? Buffer.alloc(0) } };
  }

  #identity(seat: number): SeatIdentity {
    return identityOf(this.#plan.contenders[seat]!, this.#seats[seat]?.sandbox);
  }

  #zeros(): number[] {
    return this.#plan.contenders.map(() => 0);
  }

  /** Counts the faults of a step, those that no answer shows included (`guilty` gains them), and ends what they end. */
  async #endByFaults(guilty: Guilt[], replies: readonly (Reply | undefined)[], soFar: readonly number[], episode = 0) {
    const { onFault, forfeitAfter, forfeitTimeouts } = this.#plan;
    const forfeits = onFault === "forfeit";
    const ends = ({ seat, dead, fault }: Guilt): boolean => {
      const { faults, faultKinds } = this.#seats[seat]!;
      const late = (faultKinds.timeout ?? 0) + (faultKinds.cpu ?? 0);
      return (
        forfeits ||
        dead ||
        (forfeitAfter > 0 && faults + 1 >= forfeitAfter) ||
        (forfeitTimeouts > 0 && (fault === "timeout" || fault === "cpu") && late + 1 >= forfeitTimeouts)
      );
    };
    const broken = replies.some((reply) => reply?.kind === "infra");
    if (forfeits) addLatent(guilty, this.#seats);
    if (guilty.some(ends) || broken) addDead(guilty, this.#seats);
    const fatal = guilty.filter(ends);
    for (const { seat, fault, detail } of guilty) this.#seats[seat]!.count(fault, detail);
    if (fatal.length > 0) this.#forfeit(fatal, soFar, episode);
    else if (broken) {
      await setTimeout(BROKEN_MS);
      this.#end(failureOfOurs(brokenBoxes(this.#seats)));
    }
    if (replies.some((reply) => reply?.kind === "cancelled")) this.#end({ kind: "cancelled" });
  }

  async #episodesLoop(): Promise<void> {
    const key = chanceKey(this.#plan.seed);
    const root = new SeededChance(key[0], key[1]);
    for (let episode = 0; episode < this.#plan.episodes && this.#outcome === undefined; episode++)
      await this.#episode(episode, root.split(episode));
  }

  async #episode(episode: number, chance: SeededChance): Promise<void> {
    const env = this.#env!;
    const returns = this.#zeros();
    for (const seat of this.#seats) seat.unseenReward = 0;
    const begun = env.reset(chance);
    if (begun !== undefined) await begun;
    this.#began = true;
    const most = this.#plan.maxSteps === 0 ? Number.POSITIVE_INFINITY : this.#plan.maxSteps;
    while (env.end === null && env.steps < most) if (!(await this.#step(episode, returns))) return;
    for (const [seat, sum] of returns.entries()) this.#scores[seat]! += sum;
    const terminated = env.end === "terminated";
    this.#writer!.episode({ kind: terminated ? "terminated" : "truncated", returns });
    this.#episodes++;
    for (const seat of this.#seats) seat.episodeEnd(episode, returns[seat.index]!, terminated, !terminated);
    this.#plan.onProgress?.({ kind: "episode", episode, returns });
  }

  /** Returns false once the attempt has an outcome. Adds to `returns`. */
  async #step(episode: number, returns: number[]): Promise<boolean> {
    const env = this.#env!;
    if (this.#plan.onTooLong === "end" && this.#writer!.full) {
      this.#bound("the match is longer than a replay can be");
      return false;
    }
    const askedMs = performance.now();
    const replies = await this.#ask(episode);
    const judged = judge(env, replies);
    await this.#endByFaults(judged.guilty, replies, returns, episode);
    if (this.#outcome !== undefined) return false;
    const faults = substitute(env, judged, episode, this.#substitutes);
    const made = env.step(judged.actions);
    if (made !== undefined) await made;
    this.#steps++;
    let rewarded = false;
    for (const seat of this.#seats) {
      seat.thoughtMs += judged.thinkMs[seat.index] ?? 0;
      const reward = env.reward(seat.index);
      if (reward === 0) continue;
      rewarded = true;
      seat.unseenReward += reward;
      returns[seat.index]! += reward;
    }
    this.#writer!.step({
      actions: judged.actions,
      thinkMs: judged.thinkMs,
      ...(faults === undefined ? {} : { faults }),
      ...(rewarded ? { rewards: this.#seats.map((seat) => env.reward(seat.index) + 0) } : {}),
    });
    this.#plan.onStep?.(performance.now() - askedMs);
    return true;
  }

  async #ask(episode: number): Promise<(Reply | undefined)[]> {
    const env = this.#env!;
    const { actors } = env;
    const replies = this.#seats.map((): Reply | undefined => undefined);
    if ((actors & (actors - 1)) === 0) {
      const alone = 31 - Math.clz32(actors);
      replies[alone] = await this.#seats[alone]!.ask(env, episode);
    } else {
      const ask = async (seat: Seat): Promise<void> => {
        if ((actors & (1 << seat.index)) !== 0) replies[seat.index] = await seat.ask(env, episode);
      };
      await Promise.all(this.#seats.map(ask));
    }
    return replies;
  }

  /** Ends the episode and the match by the fault of some seats. */
  #forfeit(guilty: readonly Guilt[], soFar: readonly number[], episode: number): void {
    if (this.#outcome !== undefined) return;
    const seats = guilty.map((one) => one.seat);
    const first = guilty[0]!;
    this.#end({ kind: "agent_fault", seats, fault: first.fault, detail: first.detail });
    const of = <T>(value: (one: Guilt) => T): (T | null)[] =>
      this.#plan.contenders.map((_, seat) => {
        const one = guilty.find((other) => other.seat === seat);
        return one === undefined ? null : value(one);
      });
    const returns = forfeitReturns(this.#plan.source, soFar, seats);
    for (const [seat, sum] of returns.entries()) this.#scores[seat]! += sum;
    this.#writer!.forfeit({ faults: of((one) => one.fault), thinkMs: of((one) => one.thinkMs) });
    this.#writer!.episode({ kind: "forfeit", returns });
    this.#episodes++;
    this.#plan.onProgress?.({ kind: "episode", episode, returns });
  }

  async #close(): Promise<(Usage | undefined)[]> {
    const gently = this.#outcome?.kind === "completed";
    const [usage] = await Promise.all([
      Promise.all(Array.from(this.#seats, (seat) => seat?.close(gently))),
      this.#env?.close(),
    ]);
    return usage;
  }

  #record(usage: readonly (Usage | undefined)[]): AttemptRecord {
    const { contenders } = this.#plan;
    const outcome = this.#outcome!;
    const guilty = outcome.kind === "agent_fault" ? outcome.seats : [];
    const scored =
      (outcome.kind === "completed" || outcome.kind === "agent_fault") &&
      !(contenders.length === 1 && guilty.length > 0);
    const ranks = ranksOf(this.#scores, guilty);
    const seats = contenders.map((_, index): SeatRecord => {
      const seat = this.#seats[index];
      const unfit = this.#unfit.find((one) => one.seat === index);
      return {
        ...this.#identity(index),
        score: scored ? this.#scores[index]! + 0 : null,
        rank: scored ? ranks[index]! : null,
        faults: seat?.faults ?? (unfit === undefined ? 0 : 1),
        faultKinds: seat?.faultKinds ?? (unfit === undefined ? {} : { start: 1 }),
        firstFault: seat?.firstFault ?? unfit?.detail ?? null,
        thoughtMs: seat?.thoughtMs ?? 0,
        usage: usage[index] ?? null,
        log: seat?.log.content() ?? Buffer.alloc(0),
        logCut: seat?.log.cut ?? 0,
      };
    });
    const { text, hash } = this.#writer!.finish({
      outcome: outcome.kind,
      scores: seats.map((seat) => seat.score),
      ranks: seats.map((seat) => seat.rank),
    });
    return {
      outcome,
      timedOut: this.#timedOut,
      seats,
      stamp: this.#stamp(),
      episodes: this.#episodes,
      steps: this.#steps,
      replayText: text,
      hash,
      board: this.#board,
      ...this.#environment(),
    };
  }
}
