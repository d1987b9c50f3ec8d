import type { Chance } from "./chance.ts";
import {
  ACTORS,
  ENDED,
  type EnvironmentDefinition,
  OWN,
  type SequentialRules,
  type State,
  TERMINATED,
} from "./environment.ts";
import type { Options } from "./options.ts";

/** S start, F frozen, H hole, G goal; and the steps after which Gymnasium's registration truncates. */
const MAPS = {
  "4x4": { rows: ["SFFF", "FHFH", "FFFH", "HFFG"], maxSteps: 100 },
  "8x8": {
    rows: ["SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"],
    maxSteps: 200,
  },
} as const;

const options = {
  map_name: { type: "string", enum: ["4x4", "8x8"], default: "4x4", description: "Which of Gymnasium's two maps" },
  is_slippery: {
    type: "boolean",
    default: true,
    description: "Whether a step goes aside two times of three, once to each side",
  },
} as const;

const CELL = OWN;

class FrozenLake implements SequentialRules {
  readonly turn = "sequential";
  readonly info;
  readonly #slippery: boolean;
  readonly #rows: readonly string[];
  readonly #size: number;

  constructor(given: Options<typeof options>) {
    const map = MAPS[given.map_name as keyof typeof MAPS];
    this.#slippery = given.is_slippery;
    this.#rows = map.rows;
    this.#size = map.rows.length;
    this.info = {
      seats: 1,
      ownInts: 1,
      ownFloats: 0,
      actions: 4,
      observation: { type: "Discrete", n: this.#size * this.#size },
      returnRange: [0, 1],
      zeroSum: false,
      maxSteps: map.maxSteps,
      chance: given.is_slippery,
      perfectInformation: true,
      everyActionLegal: true,
    } as const;
  }

  init({ ints }: State): void {
    ints[ACTORS] = 1;
  }

  isLegal(_state: State, _seat: number, action: number): boolean {
    return action === 0 || action === 1 || action === 2 || action === 3;
  }

  mask(_state: State, _seat: number, mask: Uint8Array): void {
    mask.fill(1, 0, 4);
  }

  /** Where it slips, draws 0 … 2: one direction back in the order of actions, as meant, or one on. */
  apply({ ints, floats }: State, _seat: number, action: number, chance: Chance): void {
    const direction = this.#slippery ? (action + 3 + chance.below(3)) % 4 : action;
    const last = this.#size - 1;
    let row = Math.floor(ints[CELL]! / this.#size);
    let column = ints[CELL]! % this.#size;
    if (direction === 0) column = Math.max(column - 1, 0);
    else if (direction === 1) row = Math.min(row + 1, last);
    else if (direction === 2) column = Math.min(column + 1, last);
    else row = Math.max(row - 1, 0);
    ints[CELL] = row * this.#size + column;
    const tile = this.#rows[row]![column];
    if (tile === "G") floats[0] = 1;
    if (tile === "G" || tile === "H") ints[ENDED] = TERMINATED;
  }

  observe({ ints }: State, _seat: number, out: Float64Array): void {
    out[0] = ints[CELL]!;
  }

  render({ ints }: State): string {
    return this.#rows
      .map((tiles, row) =>
        Array.from(tiles, (tile, column) =>
          row * this.#size + column === ints[CELL] ? `[${tile}]` : ` ${tile} `,
        ).join(""),
      )
      .join("\n");
  }

  actionName(action: number): string {
    return ["left", "down", "right", "up"][action] ?? String(action);
  }
}

export const frozenLake: EnvironmentDefinition<typeof options> = {
  id: "frozen-lake",
  version: 1,
  title: "Frozen lake",
  description:
    "One seat crosses a lake from the top left to the goal (+1) at the bottom right; a hole ends the episode with nothing. Actions: 0 left, " +
    "1 down, 2 right, 3 up; on slippery ice two steps of three go to a side. An observation is the cell's number, row by row. As " +
    "Gymnasium's FrozenLake-v1 and FrozenLake8x8-v1.",
  options,
  make: (given) => new FrozenLake(given),
};
