/** One episode of random legal actions, looked at from all sides on the way. */
import { type Chance, SeededChance } from "../chance.ts";
import { type Environment, ILLEGAL, type State } from "../environment.ts";
import type { Report } from "./report.ts";
import { checkFields, checkView, cloneState, NO_ACTIONS, sameState } from "./view.ts";

/** Rewards are sums of floats: what they are compared with may differ by this much. */
const TOLERANCE = 1e-9;
/** A long episode is looked at closely in its first steps, then now and then, and at its end. */
const CLOSELY = 150;
const NOW_AND_THEN = 97;

/** Counts draws, and refuses those that no Chance has to serve. */
class Watched implements Chance {
  draws = 0;
  readonly #chance: Chance;
  readonly #report: Report;

  constructor(chance: Chance, report: Report) {
    this.#chance = chance;
    this.#report = report;
  }

  below(n: number): number {
    this.draws++;
    if (Number.isInteger(n) && n >= 1 && n <= 2 ** 32) return this.#chance.below(n);
    this.#report.found("chance", `drew an integer below ${n}`);
    return 0;
  }

  uniform(low: number, high: number): number {
    this.draws++;
    if (Number.isFinite(low) && Number.isFinite(high) && low <= high) return this.#chance.uniform(low, high);
    this.#report.found("chance", `drew a real in [${low}, ${high})`);
    return 0;
  }
}

export class Playout {
  readonly #make: () => Environment;
  readonly #env: Environment;
  readonly #report: Report;
  readonly #seed: number;
  readonly #actions: SeededChance;
  readonly #chances: SeededChance;
  readonly #where: string;
  /** How often the rules drew. */
  draws = 0;
  /** Whether there was no end after the most steps. */
  brokenOff = false;

  constructor(make: () => Environment, env: Environment, seed: number, report: Report) {
    this.#make = make;
    this.#env = env;
    this.#report = report;
    this.#seed = seed;
    const chance = SeededChance.fromSeed(seed);
    this.#actions = chance.split(0);
    this.#chances = chance.split(1);
    this.#where = report.where;
  }

  /** Plays until the end, or until `most` steps. */
  run(most: number): void {
    this.#report.guard("throws", "legal play", () => this.#play(most));
    this.#report.where = this.#where;
  }

  #at(step: number): void {
    this.#report.where = `${this.#where}${this.#where ? ", " : ""}seed ${this.#seed}, step ${step}`;
  }

  /** The chance of one step: the same however often it is asked for. */
  #chance(step: number): Watched {
    return new Watched(this.#chances.split(step), this.#report);
  }

  #play(most: number): void {
    const env = this.#env;
    const report = this.#report;
    this.#at(0);
    const state = this.#reset();
    const returns = new Array<number>(env.info.seats).fill(0);
    let steps = 0;
    for (; !env.ended(state) && steps < most; steps++) {
      this.#at(steps);
      const actions = this.#choose(state);
      if (actions === undefined) return;
      const close = steps < CLOSELY || steps % NOW_AND_THEN === 0;
      if (close) {
        checkView(env, state, report);
        this.#checkIllegal(state, actions);
        if (!this.#checkStep(state, actions, steps + 1)) return;
      }
      this.#step(env, state, actions, state, this.#count(steps + 1));
      checkFields(env, state, steps + 1, report);
      this.#checkRewards(state, returns);
      if (steps + 1 > env.info.maxSteps) report.found("end", `still playing after ${env.info.maxSteps} steps`);
    }
    this.#at(steps);
    if (env.ended(state)) {
      checkView(env, state, report);
      this.#checkAfterEnd(state);
      return;
    }
    this.brokenOff = true;
    if (env.info.maxSteps === Number.POSITIVE_INFINITY)
      report.found("end", `no end after ${most} steps, and no greatest number of steps`);
  }

  /** A chance whose draws count for the declaration. */
  #count(step: number): Chance {
    const chance = this.#chance(step);
    const below = (n: number) => {
      this.draws++;
      return chance.below(n);
    };
    const uniform = (low: number, high: number) => {
      this.draws++;
      return chance.uniform(low, high);
    };
    return { below, uniform };
  }

  #reset(): State {
    const env = this.#env;
    const dirty = env.newState();
    dirty.ints.fill(1);
    dirty.floats.fill(0.5);
    env.reset(dirty, this.#chance(0));
    // The one to be played on is reset last: rules that keep a state that they were handed then keep this one.
    const state = env.newState();
    env.reset(state, this.#count(0));
    if (!sameState(state, dirty)) this.#report.found("determinism", "two resets with the same chance differ");
    const other = this.#make();
    const elsewhere = other.newState();
    other.reset(elsewhere, this.#chance(0));
    if (!sameState(state, elsewhere)) this.#report.found("purity", "a reset depends on what was played before");
    checkFields(env, state, 0, this.#report);
    for (let seat = 0; seat < env.info.seats; seat++)
      if (env.reward(state, seat) !== 0) this.#report.found("state", "a reset gives rewards");
    return state;
  }

  /** A legal action for each seat that is to act, 0 for the others; nothing if one of them has none. */
  #choose(state: State): number[] | undefined {
    const env = this.#env;
    const mask = new Uint8Array(env.info.actions);
    const actions = new Array<number>(env.info.seats).fill(0);
    for (let seat = 0; seat < env.info.seats; seat++) {
      if ((env.actors(state) & (1 << seat)) === 0) continue;
      env.mask(state, seat, mask);
      const legal = Array.from(mask.keys()).filter((action) => mask[action] === 1);
      if (legal.length === 0) {
        this.#report.found("mask", `seat ${seat} is to act and has no legal action`);
        return undefined;
      }
      actions[seat] = legal[this.#actions.below(legal.length)]!;
    }
    return actions;
  }

  #step(env: Environment, src: State, actions: readonly number[], dst: State, chance: Chance): void {
    if (env.turn === "simultaneous") env.stepJoint(src, actions, dst, chance);
    else env.step(src, actions[Math.max(env.seatToAct(src), 0)]!, dst, chance);
  }

  /** Takes the same step in several ways. Returns false if going on makes no sense. */
  #checkStep(state: State, actions: readonly number[], number: number): boolean {
    const env = this.#env;
    const report = this.#report;
    const before = cloneState(env, state);
    const first = env.newState();
    this.#step(env, state, actions, first, this.#chance(number));
    if (!sameState(before, state)) {
      report.found("purity", "a step to another state changes the one it comes from");
      return false;
    }
    const again = env.newState();
    this.#step(env, state, actions, again, this.#chance(number));
    if (!sameState(first, again)) {
      report.found("determinism", "the same step twice gives two results");
      return false;
    }
    const dirty = env.newState();
    dirty.ints.fill(-1);
    dirty.floats.fill(0.5);
    this.#step(env, state, actions, dirty, this.#chance(number));
    if (!sameState(first, dirty)) report.found("purity", "a step depends on what its destination held before");
    const same = cloneState(env, state);
    this.#step(env, same, actions, same, this.#chance(number));
    if (!sameState(first, same))
      report.found("purity", "a step in place gives another result than one to another state");
    const other = this.#make();
    const elsewhere = other.newState();
    this.#step(other, before, actions, elsewhere, this.#chance(number));
    if (!sameState(first, elsewhere))
      report.found("purity", "the rules keep something of an episode outside its state");
    return true;
  }

  #checkIllegal(state: State, actions: readonly number[]): void {
    const env = this.#env;
    const [least] = env.info.returnRange;
    for (let seat = 0; seat < env.info.seats; seat++) {
      if ((env.actors(state) & (1 << seat)) === 0) continue;
      const mask = new Uint8Array(env.info.actions);
      env.mask(state, seat, mask);
      const masked = mask.indexOf(0);
      for (const action of masked < 0 ? NO_ACTIONS : [...NO_ACTIONS, masked]) {
        const after = env.newState();
        this.#report.guard("illegal-action", `stepping ${action}`, () => {
          this.#step(env, state, actions.with(seat, action), after, this.#chance(0));
          if (!env.terminated(after) || after.ints[ILLEGAL] !== 1 << seat || env.reward(after, seat) !== least)
            this.#report.found("illegal-action", `seat ${seat}'s illegal action ${action} was not refused`);
        });
      }
    }
  }

  #checkRewards(state: State, returns: number[]): void {
    const { zeroSum, returnRange } = this.#env.info;
    let sum = 0;
    for (let seat = 0; seat < returns.length; seat++) {
      const reward = this.#env.reward(state, seat);
      sum += reward;
      returns[seat]! += reward;
      const total = returns[seat]!;
      const [least, greatest] = returnRange;
      if (this.#env.ended(state) && !(total >= least - TOLERANCE && total <= greatest + TOLERANCE))
        this.#report.found("return-range", `seat ${seat} has ${total}, not in ${least} … ${greatest}`);
      if (!Number.isFinite(reward)) this.#report.found("return-range", `seat ${seat} has the reward ${reward}`);
    }
    if (zeroSum && !(Math.abs(sum) <= TOLERANCE)) this.#report.found("zero-sum", `the rewards sum to ${sum}`);
  }

  #checkAfterEnd(state: State): void {
    const env = this.#env;
    const expected = cloneState(env, state);
    expected.floats.fill(0, 0, env.info.seats);
    const after = env.newState();
    this.#step(env, state, new Array<number>(env.info.seats).fill(0), after, this.#chance(0));
    if (!sameState(expected, after)) this.#report.found("after-end", "a step after the end changes the state");
    const mask = new Uint8Array(env.info.actions);
    for (let seat = 0; seat < env.info.seats; seat++) {
      env.mask(state, seat, mask);
      if (mask.includes(1)) this.#report.found("after-end", `seat ${seat} has a legal action after the end`);
    }
  }
}
