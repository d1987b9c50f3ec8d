/**
 * Theory of operation.
 *
 * A *definition* names an environment and its options; `makeEnvironment` fixes the options and gives an Environment.
 * The environment's *rules* are pure: all they know of an episode is in a State, two flat arrays, which they read and
 * write in place and never keep. Chance is handed in. So the same code serves a match, a search that copies states by
 * the million, a replay in a browser and a trainer.
 *
 * The base class, Environment, does once what every game needs: copying `src` to `dst` (they may be the same state),
 * refusing illegal actions, ends, truncation, whose turn it is, masks, and serialisation. Rules only say what a legal
 * action does.
 *
 * Nobody here is trusted with less or more than anybody else: legality is decided here, whoever asks.
 *
 * Layout of a State:
 *   ints   [0] actors (bit i: seat i is to act; 0 once ended)   [1] steps taken   [2] ended: 0, 1 terminated, 2 truncated
 *          [3] seats that acted illegally, as bits   [4…] the rules' own
 *   floats [0 … seats − 1] the rewards of the last step   [seats …] the rules' own
 */
import type { Chance } from "./chance.ts";
import { normaliseOptions, type Options, type OptionsSchema } from "./options.ts";
import { flatSize, type Space } from "./space.ts";

export interface State {
  readonly ints: Int32Array;
  readonly floats: Float64Array;
}

export const ACTORS = 0;
export const STEPS = 1;
export const ENDED = 2;
export const ILLEGAL = 3;
/** The first index of `ints` that belongs to the rules. In `floats` that is the number of seats. */
export const OWN = 4;

export const RUNNING = 0;
export const TERMINATED = 1;
export const TRUNCATED = 2;

/** What the rules say of themselves, once their options are fixed. */
export interface RulesInfo {
  readonly seats: number;
  /** How many integers and floats the rules keep in a state, beside the base's own. */
  readonly ownInts: number;
  readonly ownFloats: number;
  /** Every seat's action space is Discrete. */
  readonly actions: number;
  readonly observation: Space;
  /** The least and greatest sum of rewards one seat can have in an episode. */
  readonly returnRange: readonly [number, number];
  /** True if the seats' rewards sum to zero at each step. */
  readonly zeroSum: boolean;
  /** Steps after which the base truncates the episode; Infinity if the rules always end it themselves. */
  readonly maxSteps: number;
  /** False if the rules never draw from the Chance they are handed (then `noChance` will do). */
  readonly chance: boolean;
  /** False if some seat's observation hides part of the state. */
  readonly perfectInformation: boolean;
  /** True if every action is always legal: an agent then sees the plain observation, without a mask. Default: false. */
  readonly everyActionLegal?: boolean;
}

interface CommonRules {
  readonly info: RulesInfo;
  /** Sets up an episode in a zeroed state. For sequential rules ACTORS must be set; for simultaneous ones the base does it. */
  init(state: State, chance: Chance): void;
  /** Writes 1 for each legal action of the seat and 0 for the others; `mask` has `info.actions` elements. */
  mask(state: State, seat: number, mask: Uint8Array): void;
  isLegal(state: State, seat: number, action: number): boolean;
  /** Writes what the seat sees; `out` has as many elements as the observation space is large, and is written whole. */
  observe(state: State, seat: number, out: Float64Array): void;
  /** The whole state as text, for people: no trailing newline, no colour. */
  render(state: State): string;
  /** An action as people write it, such as "c4"; the number itself if absent. */
  actionName?(action: number): string;
}

/**
 * One seat acts at a time. `apply` finds the action counted in STEPS already, and the rewards zeroed; it sets ACTORS for
 * the next to act, or ENDED, and the rewards that are not zero.
 */
export interface SequentialRules extends CommonRules {
  readonly turn: "sequential";
  apply(state: State, seat: number, action: number, chance: Chance): void;
}

/** All seats act at every step. `apply` sets ENDED where it ends, and the rewards that are not zero. */
export interface SimultaneousRules extends CommonRules {
  readonly turn: "simultaneous";
  apply(state: State, actions: ArrayLike<number>, chance: Chance): void;
}

export type Rules = SequentialRules | SimultaneousRules;

export interface EnvironmentDefinition<S extends OptionsSchema = OptionsSchema> {
  readonly id: string;
  /** Raised whenever the same actions could give another episode: replays name it. */
  readonly version: number;
  readonly title: string;
  /** One paragraph: the rules, what an observation holds and what an action means. */
  readonly description: string;
  readonly options: S;
  make(options: Options<S>): Rules;
}

export class Environment {
  readonly definition: EnvironmentDefinition;
  readonly options: Options;
  readonly info: RulesInfo;
  readonly turn: "sequential" | "simultaneous";
  readonly #rules: Rules;
  readonly #everyone: number;
  /** The joint action of a single seat, so that a step need not allocate one. */
  readonly #alone = [0];

  constructor(definition: EnvironmentDefinition, options: Options) {
    this.definition = definition;
    this.options = options;
    this.#rules = definition.make(options);
    this.info = this.#rules.info;
    this.turn = this.#rules.turn;
    this.#everyone = (1 << this.info.seats) - 1;
  }

  /** A zeroed state, not yet an episode: `reset` makes it one. */
  newState(): State {
    return {
      ints: new Int32Array(OWN + this.info.ownInts),
      floats: new Float64Array(this.info.seats + this.info.ownFloats),
    };
  }

  copy(src: State, dst: State): void {
    if (src === dst) return;
    dst.ints.set(src.ints);
    dst.floats.set(src.floats);
  }

  /** Starts an episode in `dst`. */
  reset(dst: State, chance: Chance): void {
    dst.ints.fill(0);
    dst.floats.fill(0);
    if (this.#rules.turn === "simultaneous") dst.ints[ACTORS] = this.#everyone;
    this.#rules.init(dst, chance);
  }

  /**
   * One seat's action, in a state where one seat is to act. `dst` may be `src`. In an ended state nothing changes and
   * rewards are zero. An illegal action ends the episode (TERMINATED): its seat is marked in ILLEGAL and gets the least
   * return as reward, the other seat of a two-seat zero-sum game the greatest, everyone else 0.
   */
  step(src: State, action: number, dst: State, chance: Chance): void {
    const rules = this.#rules;
    if (rules.turn !== "sequential") {
      if (this.info.seats !== 1) throw new TypeError("in a simultaneous environment every seat acts: use stepJoint");
      this.#alone[0] = action;
      this.stepJoint(src, this.#alone, dst, chance);
      return;
    }
    if (!this.#begin(src, dst)) return;
    const seat = 31 - Math.clz32(dst.ints[ACTORS]!);
    const legal = rules.isLegal(dst, seat, action);
    dst.ints[STEPS] = dst.ints[STEPS]! + 1;
    if (legal) rules.apply(dst, seat, action, chance);
    else this.#illegal(dst, 1 << seat);
    this.#end(dst);
  }

  /** As `step`, with an action for every seat, indexed by seat; those of seats that are not to act are not looked at. */
  stepJoint(src: State, actions: ArrayLike<number>, dst: State, chance: Chance): void {
    const rules = this.#rules;
    if (rules.turn === "sequential") {
      const seat = 31 - Math.clz32(src.ints[ACTORS]!);
      this.step(src, seat < 0 ? 0 : actions[seat]!, dst, chance);
      return;
    }
    if (!this.#begin(src, dst)) return;
    let wrong = 0;
    for (let seat = 0; seat < this.info.seats; seat++)
      if (!rules.isLegal(dst, seat, actions[seat]!)) wrong |= 1 << seat;
    dst.ints[STEPS] = dst.ints[STEPS]! + 1;
    if (wrong === 0) rules.apply(dst, actions, chance);
    else this.#illegal(dst, wrong);
    this.#end(dst);
  }

  #begin(src: State, dst: State): boolean {
    this.copy(src, dst);
    // A loop, not fill: it is quicker for a few elements, and every step does it.
    for (let seat = 0; seat < this.info.seats; seat++) dst.floats[seat] = 0;
    return dst.ints[ENDED] === RUNNING;
  }

  #illegal(state: State, seats: number): void {
    const [least, greatest] = this.info.returnRange;
    state.ints[ILLEGAL] = seats;
    state.ints[ENDED] = TERMINATED;
    for (let seat = 0; seat < this.info.seats; seat++) {
      const guilty = (seats & (1 << seat)) !== 0;
      state.floats[seat] = guilty ? least : this.info.zeroSum && this.info.seats === 2 ? greatest : 0;
    }
    if (this.info.zeroSum && seats === this.#everyone) state.floats.fill(0, 0, this.info.seats);
  }

  #end(state: State): void {
    if (state.ints[ENDED] === RUNNING && state.ints[STEPS]! >= this.info.maxSteps) state.ints[ENDED] = TRUNCATED;
    if (state.ints[ENDED] !== RUNNING) state.ints[ACTORS] = 0;
  }

  /** Bit i set: seat i is to act. 0 once the episode has ended. */
  actors(state: State): number {
    return state.ints[ACTORS]!;
  }

  /** The seat to act where one is; −1 where none or several are. */
  seatToAct(state: State): number {
    const actors = state.ints[ACTORS]!;
    return actors !== 0 && (actors & (actors - 1)) === 0 ? 31 - Math.clz32(actors) : -1;
  }

  terminated(state: State): boolean {
    return state.ints[ENDED] === TERMINATED;
  }

  truncated(state: State): boolean {
    return state.ints[ENDED] === TRUNCATED;
  }

  ended(state: State): boolean {
    return state.ints[ENDED] !== RUNNING;
  }

  steps(state: State): number {
    return state.ints[STEPS]!;
  }

  /** The seat's reward for the last step. */
  reward(state: State, seat: number): number {
    return state.floats[seat]!;
  }

  /** All zeros for a seat that is not to act. `mask` has `info.actions` elements. */
  mask(state: State, seat: number, mask: Uint8Array): void {
    if ((state.ints[ACTORS]! & (1 << seat)) === 0) mask.fill(0);
    else this.#rules.mask(state, seat, mask);
  }

  isLegal(state: State, seat: number, action: number): boolean {
    return (state.ints[ACTORS]! & (1 << seat)) !== 0 && this.#rules.isLegal(state, seat, action);
  }

  observationSize(): number {
    return flatSize(this.info.observation);
  }

  observe(state: State, seat: number, out: Float64Array): void {
    this.#rules.observe(state, seat, out);
  }

  render(state: State): string {
    return this.#rules.render(state);
  }

  actionName(action: number): string {
    return this.#rules.actionName?.(action) ?? String(action);
  }

  /** Plain numbers, fit for JSON; `deserialise` gives an equal state. Infinities and NaN do not occur in states. */
  serialise(state: State): { ints: number[]; floats: number[] } {
    return { ints: Array.from(state.ints), floats: Array.from(state.floats) };
  }

  /** Throws a RangeError if the lengths are not this environment's. */
  deserialise(from: { readonly ints: readonly number[]; readonly floats: readonly number[] }): State {
    const state = this.newState();
    if (from.ints.length !== state.ints.length || from.floats.length !== state.floats.length)
      throw new RangeError(`not a state of ${this.definition.id} with these options`);
    state.ints.set(from.ints);
    state.floats.set(from.floats);
    return state;
  }
}

/** Fixes the options. Throws OptionError. */
export function makeEnvironment(
  definition: EnvironmentDefinition,
  given: { readonly [name: string]: unknown } = {},
): Environment {
  return new Environment(definition, normaliseOptions(definition.options, given));
}
