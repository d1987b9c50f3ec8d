/** Episodes of rules in this process: nothing waits, nothing is released. */
import { type Chance, noChance, type SeededChance } from "@lanista/games/chance";
import { Environment, type State } from "@lanista/games/environment";
import { pickLegal } from "./actions.ts";
import type { EpisodeSource, Episodes, SeatView } from "./episodes.ts";
import type { Action } from "./spaces.ts";

/** What can be played in: rules, or a source of episodes. */
export type Playable = Environment | EpisodeSource;

export function sourceOf(env: Playable): EpisodeSource {
  return env instanceof Environment ? new BuiltInSource(env) : env;
}

export class BuiltInSource implements EpisodeSource {
  readonly id: string;
  readonly version: number;
  readonly options: EpisodeSource["options"];
  readonly views: readonly SeatView[];
  readonly returnRange: readonly [number, number];
  readonly zeroSum: boolean;
  readonly #env: Environment;

  constructor(env: Environment) {
    const { definition, info, options } = env;
    this.#env = env;
    this.id = definition.id;
    this.version = definition.version;
    this.options = options;
    const view: SeatView = {
      action: { type: "Discrete", n: info.actions },
      observation: info.observation,
      masked: info.everyActionLegal !== true,
    };
    this.views = Array.from({ length: info.seats }, () => view);
    this.returnRange = info.returnRange;
    this.zeroSum = info.zeroSum;
  }

  open(): BuiltInEpisodes {
    return new BuiltInEpisodes(this.#env);
  }
}

export class BuiltInEpisodes implements Episodes {
  readonly #env: Environment;
  /** Of the present episode; zeroed before the first. */
  readonly state: State;
  readonly #discrete: boolean;
  readonly #observation: Float64Array;
  readonly #mask: Uint8Array;
  readonly #masked: boolean;
  #chance: Chance = noChance;

  constructor(env: Environment) {
    this.#env = env;
    this.state = env.newState();
    this.#discrete = env.info.observation.type === "Discrete";
    this.#observation = new Float64Array(env.observationSize());
    this.#mask = new Uint8Array(env.info.actions);
    this.#masked = env.info.everyActionLegal !== true;
  }

  reset(chance: SeededChance): void {
    this.#chance = chance;
    this.#env.reset(this.state, chance);
  }

  step(actions: readonly (Action | null)[]): void {
    const joint = actions.map((action) => (action ?? 0) as number);
    this.#env.stepJoint(this.state, joint, this.state, this.#chance);
  }

  get actors(): number {
    return this.#env.actors(this.state);
  }

  get steps(): number {
    return this.#env.steps(this.state);
  }

  get end(): "terminated" | "truncated" | null {
    if (this.#env.terminated(this.state)) return "terminated";
    return this.#env.truncated(this.state) ? "truncated" : null;
  }

  reward(seat: number): number {
    return this.#env.reward(this.state, seat);
  }

  observation(seat: number): string {
    this.#env.observe(this.state, seat, this.#observation);
    return this.#discrete ? String(this.#observation[0]) : `[${this.#observation.join(",")}]`;
  }

  seen(seat: number): string {
    return this.observation(seat);
  }

  mask(seat: number): Uint8Array | undefined {
    if (!this.#masked) return undefined;
    this.#env.mask(this.state, seat, this.#mask);
    return this.#mask;
  }

  legal(seat: number, action: Action): Action | null {
    return typeof action === "number" && this.#env.isLegal(this.state, seat, action) ? action : null;
  }

  randomAction(seat: number, chance: Chance): number {
    this.#env.mask(this.state, seat, this.#mask);
    return pickLegal(this.#mask, chance);
  }

  render(): string {
    return this.#env.render(this.state);
  }

  cancel(): void {}

  close(): void {}
}
