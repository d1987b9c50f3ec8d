/**
 * Runs a replay's match again by the rules alone, without agents, and compares. Says the first thing that differs and
 * stops there: what comes after a difference is about another match. The rerun is a generator that gives out what is to be
 * waited for, and rules in this process give nothing: so one text serves both them and environments in a box.
 */
import { SeededChance } from "@lanista/games/chance";
import { type Environment, type EnvironmentDefinition, makeEnvironment, type State } from "@lanista/games/environment";
import { OptionError } from "@lanista/games/options";
import { sameAction } from "@lanista/games/replay-action";
import type { BySeat, Replay, ReplayAction, ReplayEpisode, ReplayStep } from "@lanista/games/replay-types";
import { BuiltInSource } from "./episodes/built-in.ts";
import type { EpisodeSource, Episodes } from "./episodes/episodes.ts";
import { forfeitReturns, ranksOf } from "./scoring.ts";
import { chanceKey, SubstituteActions } from "./seeds.ts";

/** `episode` and `step` count from 0 and are null where the difference is not in one. */
export interface Difference {
  readonly episode: number | null;
  readonly step: number | null;
  readonly what: string;
}

export type Verdict =
  | { readonly ok: true; readonly hash: string; readonly episodes: number; readonly steps: number }
  | ({ readonly ok: false } & Difference);

/** A step of a built-in environment, where an action is one number. */
export type BuiltInStep = Omit<ReplayStep, "actions"> & { readonly actions: BySeat<number> };

export interface RerunVisitor {
  /** After a reset (`step` null), and after each step that agreed. */
  visit(state: State, episode: number, step: BuiltInStep | null): void;
}

class Differs extends Error {
  readonly difference: Difference;

  constructor(episode: number | null, step: number | null, what: string) {
    super(what);
    this.difference = { episode, step, what };
  }
}

const list = (values: readonly unknown[]): string => JSON.stringify(values);
const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** The environment that a replay names. Throws Differs. */
function environmentOf(replay: Replay, environments: ReadonlyMap<string, EnvironmentDefinition>): Environment {
  const { env } = replay.header;
  const differs = (what: string): never => {
    throw new Differs(null, null, what);
  };
  if (env.bundle !== undefined)
    differs(`${env.id} is no built-in environment, but that of the bundle ${env.bundle}, which is not here`);
  const definition = environments.get(env.id) ?? differs(`the environment ${env.id} is not known here`);
  if (definition.version !== env.version)
    differs(`the replay is of ${env.id} version ${env.version}, these rules are version ${definition.version}`);
  let made: Environment;
  try {
    made = makeEnvironment(definition, env.options);
  } catch (error) {
    if (error instanceof OptionError) return differs(`the options of ${env.id}: ${error.message}`);
    throw error;
  }
  const missing = Object.keys(made.options).find((name) => !Object.hasOwn(env.options, name));
  if (missing !== undefined) differs(`the option ${missing} of ${env.id} is missing`);
  return made;
}

/** Whether the source is the environment that the replay names. Throws Differs. */
function checkSource(replay: Replay, source: EpisodeSource): void {
  const { env, seats } = replay.header;
  const differs = (what: string): never => {
    throw new Differs(null, null, what);
  };
  if (env.id !== source.id) differs(`the replay is of ${env.id}, this is ${source.id}`);
  if (env.bundle !== source.bundle)
    differs(
      `the replay is of ${env.bundle === undefined ? "a built-in environment" : `the bundle ${env.bundle}`}, this is ${source.bundle ?? "built in"}`,
    );
  if (env.version !== source.version)
    differs(`the replay is of ${env.id} version ${env.version}, this is version ${source.version}`);
  const given = Object.keys(env.options);
  const names = new Set([...given, ...Object.keys(source.options)]);
  for (const name of names)
    if (env.options[name] !== source.options[name])
      differs(`the option ${name} is ${source.options[name]} here, the replay says ${env.options[name]}`);
  if (source.views.length !== seats.length)
    differs(`${env.id} has ${source.views.length} seats, the replay ${seats.length}`);
}

type Visit = (episode: number, step: ReplayStep | null) => void;
type Waits<T> = Generator<Promise<void>, T>;

class Rerun {
  readonly #source: EpisodeSource;
  readonly #episodes: Episodes;
  readonly #replay: Replay;
  readonly #chance: SeededChance;
  readonly #substitutes: SubstituteActions;
  readonly #visit: Visit;
  readonly #scores: number[];
  #steps = 0;

  /** Throws Differs. */
  constructor(replay: Replay, source: EpisodeSource, episodes: Episodes, visit: Visit = () => {}) {
    this.#replay = replay;
    this.#source = source;
    this.#episodes = episodes;
    this.#visit = visit;
    const { header } = replay;
    checkSource(replay, source);
    const key = chanceKey(header.seed);
    if (!same(key, header.chance))
      throw new Differs(null, null, `the chance key ${list(header.chance)} does not come from the seed ${header.seed}`);
    this.#chance = new SeededChance(key[0], key[1]);
    this.#substitutes = new SubstituteActions(header.seed);
    this.#scores = header.seats.map(() => 0);
  }

  *run(): Waits<Verdict> {
    const { episodes, final, hash } = this.#replay;
    for (const [index, episode] of episodes.entries()) yield* this.#episode(index, episode);
    const last = episodes.at(-1)?.forfeit ?? null;
    const guilty = last === null ? [] : last.faults.flatMap((fault, seat) => (fault === null ? [] : [seat]));
    const counts = final.outcome === "completed" || final.outcome === "agent_fault";
    const scored = counts && !(this.#source.views.length === 1 && guilty.length > 0);
    const nobody = this.#scores.map(() => null);
    const scores = scored ? this.#scores.map((score) => score + 0) : nobody;
    const ranks = scored ? ranksOf(this.#scores, guilty) : nobody;
    if (!same(scores, final.scores))
      throw new Differs(null, null, `the scores are ${list(scores)}, the replay says ${list(final.scores)}`);
    if (!same(ranks, final.ranks))
      throw new Differs(null, null, `the ranks are ${list(ranks)}, the replay says ${list(final.ranks)}`);
    return { ok: true, hash, episodes: episodes.length, steps: this.#steps };
  }

  *#episode(index: number, episode: ReplayEpisode): Waits<void> {
    const env = this.#episodes;
    const returns = this.#scores.map(() => 0);
    const begun = env.reset(this.#chance.split(index));
    if (begun !== undefined) yield begun;
    this.#visit(index, null);
    for (const [number, step] of episode.steps.entries()) {
      const made = env.step(this.#actions(index, number, step));
      if (made !== undefined) yield made;
      this.#steps++;
      this.#compareRewards(index, number, step);
      for (let seat = 0; seat < returns.length; seat++) returns[seat]! += env.reward(seat);
      this.#visit(index, step);
    }
    if (episode.end === null) return;
    const at = episode.steps.length;
    const { kind } = episode.end;
    const cut = at === this.#replay.header.maxSteps ? "truncated" : "not ended";
    const ended = env.end ?? cut;
    if (kind === "forfeit" ? ended !== "not ended" : ended !== kind)
      throw new Differs(index, at, `here the episode is ${ended}, the replay says ${kind}`);
    const guilty = (episode.forfeit?.faults ?? []).flatMap((fault, seat) => (fault === null ? [] : [seat]));
    const settled = guilty.length > 0 ? forfeitReturns(this.#source, returns, guilty) : returns;
    if (!settled.every((sum, seat) => sum === episode.end!.returns[seat]))
      throw new Differs(index, at, `the returns are ${list(settled)}, the replay says ${list(episode.end.returns)}`);
    for (const [seat, sum] of settled.entries()) this.#scores[seat]! += sum;
  }

  /** What the step's seats did, each of them to act and its action legal. */
  #actions(episode: number, number: number, step: ReplayStep): readonly (ReplayAction | null)[] {
    const env = this.#episodes;
    const fail = (what: string): never => {
      throw new Differs(episode, number, what);
    };
    if (env.end !== null || number === this.#replay.header.maxSteps) fail("the episode has ended, the replay goes on");
    const { actors } = env;
    for (let seat = 0; seat < step.actions.length; seat++) {
      const action = step.actions[seat] ?? null;
      const acts = (actors & (1 << seat)) !== 0;
      if (acts !== (action !== null)) fail(`seat ${seat} is ${acts ? "" : "not "}to act, the replay says otherwise`);
      if (action === null) continue;
      const legal = env.legal(seat, action);
      if (legal === null || !sameAction(legal, action))
        fail(`the action ${JSON.stringify(action)} of seat ${seat} is not legal`);
      this.#checkSubstitute(episode, step, seat, action, fail);
    }
    return step.actions;
  }

  #compareRewards(episode: number, number: number, step: ReplayStep): void {
    const seats = step.actions.length;
    let seat = 0;
    while (seat < seats && this.#episodes.reward(seat) === (step.rewards?.[seat] ?? 0)) seat++;
    if (seat === seats) return;
    const rewards = step.actions.map((_, i) => this.#episodes.reward(i));
    const told = step.rewards ?? rewards.map(() => 0);
    throw new Differs(episode, number, `the rewards are ${list(rewards)}, the replay says ${list(told)}`);
  }

  #checkSubstitute(
    episode: number,
    step: ReplayStep,
    seat: number,
    action: ReplayAction,
    fail: (what: string) => never,
  ): void {
    if ((step.faults?.[seat] ?? null) === null) return;
    if (this.#replay.header.onFault !== "random") fail("a substitute action in a match that had none");
    const due = this.#episodes.randomAction(seat, this.#substitutes.draw(episode, this.#episodes.steps, seat));
    if (!sameAction(due, action))
      fail(
        `the substitute action of seat ${seat} is ${JSON.stringify(due)} by the seed, the replay says ${JSON.stringify(action)}`,
      );
  }
}

function verdictOn(error: unknown): Verdict {
  if (error instanceof Differs) return { ok: false, ...error.difference };
  throw error;
}

/** Runs the match again, as far as it agrees. `environments`: by id, such as the registry's. */
export function verifyReplay(
  replay: Replay,
  environments: ReadonlyMap<string, EnvironmentDefinition>,
  visitor?: RerunVisitor | ((env: Environment) => RerunVisitor),
): Verdict {
  try {
    const env = environmentOf(replay, environments);
    const source = new BuiltInSource(env);
    const episodes = source.open();
    const visiting = typeof visitor === "function" ? visitor(env) : visitor;
    const visit = (episode: number, step: ReplayStep | null) =>
      visiting?.visit(episodes.state, episode, step as BuiltInStep | null);
    const ran = new Rerun(replay, source, episodes, visit).run().next();
    if (!ran.done) throw new Error("rules in this process let nobody wait");
    return ran.value;
  } catch (error) {
    return verdictOn(error);
  }
}

export interface RerunOptions {
  readonly signal?: AbortSignal;
  /** After a reset (`step` null), and after each step that agreed. */
  readonly visit?: (episodes: Episodes, episode: number, step: ReplayStep | null) => void;
}

/** The same in an environment that may run elsewhere. Throws EnvironmentFault, and what opening the source throws. */
export async function verifyReplayIn(
  replay: Replay,
  source: EpisodeSource,
  { signal, visit }: RerunOptions = {},
): Promise<Verdict> {
  const episodes = await source.open(signal);
  const cancel = (): void => episodes.cancel();
  signal?.addEventListener("abort", cancel);
  try {
    const rerun = new Rerun(replay, source, episodes, (episode, step) => visit?.(episodes, episode, step)).run();
    for (;;) {
      const next = rerun.next();
      if (next.done) return next.value;
      await next.value;
    }
  } catch (error) {
    return verdictOn(error);
  } finally {
    signal?.removeEventListener("abort", cancel);
    await episodes.close();
  }
}
