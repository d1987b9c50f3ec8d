/**
 * Runs a replay's match again by the rules alone, without agents, and compares. Says the first thing that differs and
 * stops there: what comes after a difference is about another match.
 */
import { SeededChance } from "@lanista/games/chance";
import { type Environment, type EnvironmentDefinition, makeEnvironment, type State } from "@lanista/games/environment";
import { OptionError } from "@lanista/games/options";
import type { Replay, ReplayEpisode, ReplayStep } from "@lanista/games/replay-types";
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

export interface RerunVisitor {
  /** After a reset (`step` null), and after each step that agreed. */
  visit(state: State, episode: number, step: ReplayStep | null): void;
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
  const { env, seats } = replay.header;
  const differs = (what: string): never => {
    throw new Differs(null, null, what);
  };
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
  if (made.info.seats !== seats.length) differs(`${env.id} has ${made.info.seats} seats, the replay ${seats.length}`);
  return made;
}

class Rerun {
  readonly env: Environment;
  readonly #replay: Replay;
  readonly #state: State;
  readonly #chance: SeededChance;
  readonly #substitutes: SubstituteActions;
  readonly #visitor: RerunVisitor | undefined;
  readonly #scores: number[];
  #steps = 0;

  constructor(replay: Replay, env: Environment, visitor: RerunVisitor | undefined) {
    this.#replay = replay;
    this.env = env;
    this.#visitor = visitor;
    const { header } = replay;
    const key = chanceKey(header.seed);
    if (!same(key, header.chance))
      throw new Differs(null, null, `the chance key ${list(header.chance)} does not come from the seed ${header.seed}`);
    this.#chance = new SeededChance(key[0], key[1]);
    this.#substitutes = new SubstituteActions(header.seed);
    this.#state = this.env.newState();
    this.#scores = header.seats.map(() => 0);
  }

  run(): Verdict {
    const { episodes, final, hash } = this.#replay;
    for (const [index, episode] of episodes.entries()) this.#episode(index, episode);
    const last = episodes.at(-1)?.forfeit ?? null;
    const guilty = last === null ? [] : last.faults.flatMap((fault, seat) => (fault === null ? [] : [seat]));
    const counts = final.outcome === "completed" || final.outcome === "agent_fault";
    const scored = counts && !(this.env.info.seats === 1 && guilty.length > 0);
    const nobody = this.#scores.map(() => null);
    const scores = scored ? this.#scores.map((score) => score + 0) : nobody;
    const ranks = scored ? ranksOf(this.#scores, guilty) : nobody;
    if (!same(scores, final.scores))
      throw new Differs(null, null, `the scores are ${list(scores)}, the replay says ${list(final.scores)}`);
    if (!same(ranks, final.ranks))
      throw new Differs(null, null, `the ranks are ${list(ranks)}, the replay says ${list(final.ranks)}`);
    return { ok: true, hash, episodes: episodes.length, steps: this.#steps };
  }

  #episode(index: number, episode: ReplayEpisode): void {
    const { env } = this;
    const state = this.#state;
    const chance = this.#chance.split(index);
    const returns = this.#scores.map(() => 0);
    env.reset(state, chance);
    this.#visitor?.visit(state, index, null);
    for (const [number, step] of episode.steps.entries()) {
      this.#step(index, number, step, chance);
      for (let seat = 0; seat < returns.length; seat++) returns[seat]! += env.reward(state, seat);
      this.#visitor?.visit(state, index, step);
    }
    if (episode.end === null) return;
    const at = episode.steps.length;
    const { kind } = episode.end;
    const cut = env.truncated(state) || at === this.#replay.header.maxSteps;
    const ended = env.terminated(state) ? "terminated" : cut ? "truncated" : "not ended";
    if (kind === "forfeit" ? ended !== "not ended" : ended !== kind)
      throw new Differs(index, at, `here the episode is ${ended}, the replay says ${kind}`);
    const guilty = (episode.forfeit?.faults ?? []).flatMap((fault, seat) => (fault === null ? [] : [seat]));
    const settled = guilty.length > 0 ? forfeitReturns(env.info, returns, guilty) : returns;
    if (!settled.every((sum, seat) => sum === episode.end!.returns[seat]))
      throw new Differs(index, at, `the returns are ${list(settled)}, the replay says ${list(episode.end.returns)}`);
    for (const [seat, sum] of settled.entries()) this.#scores[seat]! += sum;
  }

  #step(episode: number, number: number, step: ReplayStep, chance: SeededChance): void {
    const { env } = this;
    const state = this.#state;
    const fail = (what: string): never => {
      throw new Differs(episode, number, what);
    };
    if (env.ended(state) || number === this.#replay.header.maxSteps) fail("the episode has ended, the replay goes on");
    const actors = env.actors(state);
    const actions = step.actions.map((action, seat) => {
      const acts = (actors & (1 << seat)) !== 0;
      if (acts !== (action !== null)) fail(`seat ${seat} is ${acts ? "" : "not "}to act, the replay says otherwise`);
      if (action === null) return 0;
      if (!env.isLegal(state, seat, action)) fail(`the action ${action} of seat ${seat} is not legal`);
      this.#checkSubstitute(episode, step, seat, action, fail);
      return action;
    });
    env.stepJoint(state, actions, state, chance);
    this.#steps++;
    const rewards = actions.map((_, seat) => env.reward(state, seat));
    const told = step.rewards ?? rewards.map(() => 0);
    if (!rewards.every((reward, seat) => reward === told[seat]))
      fail(`the rewards are ${list(rewards)}, the replay says ${list(told)}`);
  }

  #checkSubstitute(
    episode: number,
    step: ReplayStep,
    seat: number,
    action: number,
    fail: (what: string) => never,
  ): void {
    if ((step.faults?.[seat] ?? null) === null) return;
    if (this.#replay.header.onFault !== "random") fail("a substitute action in a match that had none");
    const mask = new Uint8Array(this.env.info.actions);
    this.env.mask(this.#state, seat, mask);
    const due = this.#substitutes.pick(mask, episode, this.env.steps(this.#state), seat);
    if (due !== action) fail(`the substitute action of seat ${seat} is ${due} by the seed, the replay says ${action}`);
  }
}

/** Runs the match again, as far as it agrees. `environments`: by id, such as the registry's. */
export function verifyReplay(
  replay: Replay,
  environments: ReadonlyMap<string, EnvironmentDefinition>,
  visitor?: RerunVisitor | ((env: Environment) => RerunVisitor),
): Verdict {
  try {
    const env = environmentOf(replay, environments);
    return new Rerun(replay, env, typeof visitor === "function" ? visitor(env) : visitor).run();
  } catch (error) {
    if (error instanceof Differs) return { ok: false, ...error.difference };
    throw error;
  }
}
