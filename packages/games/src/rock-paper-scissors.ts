import {
  ENDED,
  type EnvironmentDefinition,
  OWN,
  type SimultaneousRules,
  STEPS,
  type State,
  TERMINATED,
} from "./environment.ts";

const NAMES = ["rock", "paper", "scissors"] as const;
const SEATS = 2;

const options = {
  rounds: { type: "integer", minimum: 1, maximum: 1000, default: 10, description: "Rounds of an episode" },
} as const;

/** For each round and seat, `ints` holds 0 until it is played, then 1 + the action. */
class RockPaperScissors implements SimultaneousRules {
  readonly turn = "simultaneous";
  readonly info;
  readonly #rounds: number;

  constructor(rounds: number) {
    this.#rounds = rounds;
    this.info = {
      seats: SEATS,
      ownInts: SEATS * rounds,
      ownFloats: 0,
      actions: 3,
      observation: { type: "Box", shape: [rounds, 2], dtype: "int8", low: -1, high: 2 },
      returnRange: [-rounds, rounds],
      zeroSum: true,
      maxSteps: Number.POSITIVE_INFINITY,
      chance: false,
      perfectInformation: true,
      everyActionLegal: true,
    } as const;
  }

  init(): void {}

  isLegal(_state: State, _seat: number, action: number): boolean {
    return action === 0 || action === 1 || action === 2;
  }

  mask(_state: State, _seat: number, mask: Uint8Array): void {
    mask.fill(1, 0, 3);
  }

  apply({ ints, floats }: State, actions: ArrayLike<number>): void {
    const first = actions[0]!;
    const second = actions[1]!;
    // The base has counted this step already.
    const round = ints[STEPS]! - 1;
    ints[OWN + SEATS * round] = 1 + first;
    ints[OWN + SEATS * round + 1] = 1 + second;
    // Each beats the one before it, and rock scissors.
    if (first !== second) {
      const winner = (first - second + 3) % 3 === 1 ? 0 : 1;
      floats[winner] = 1;
      floats[1 - winner] = -1;
    }
    if (ints[STEPS]! >= this.#rounds) ints[ENDED] = TERMINATED;
  }

  observe({ ints }: State, seat: number, out: Float64Array): void {
    for (let round = 0; round < this.#rounds; round++) {
      const at = OWN + SEATS * round;
      out[2 * round] = ints[at + seat]! - 1;
      out[2 * round + 1] = ints[at + 1 - seat]! - 1;
    }
  }

  /** A line for each seat and one of who won, a letter a round. */
  render({ ints }: State): string {
    const lines = ["", "", ""];
    for (let round = 0; round < this.#rounds; round++) {
      const first = ints[OWN + SEATS * round]! - 1;
      const second = ints[OWN + SEATS * round + 1]! - 1;
      lines[0] += NAMES[first]?.[0] ?? ".";
      lines[1] += NAMES[second]?.[0] ?? ".";
      lines[2] += first < 0 ? "." : first === second ? "=" : (first - second + 3) % 3 === 1 ? "0" : "1";
    }
    return `seat 0: ${lines[0]}\nseat 1: ${lines[1]}\nwinner: ${lines[2]}`;
  }

  actionName(action: number): string {
    return NAMES[action] ?? String(action);
  }
}

export const rockPaperScissors: EnvironmentDefinition<typeof options> = {
  id: "rock-paper-scissors",
  version: 1,
  title: "Rock, paper, scissors",
  description:
    "Two seats choose at the same time, a fixed number of rounds. Actions: 0 rock, 1 paper, 2 scissors; paper beats rock, scissors paper, " +
    "rock scissors: +1 and −1, equal choices 0. An observation has a row for each round, played or not: the seat's own choice, then the " +
    "opponent's, −1 in rounds to come.",
  options,
  make: ({ rounds }) => new RockPaperScissors(rounds),
};
