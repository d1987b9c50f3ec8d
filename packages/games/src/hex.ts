import {
  ACTORS,
  ENDED,
  type EnvironmentDefinition,
  OWN,
  type RulesInfo,
  type SequentialRules,
  STEPS,
  type State,
  TERMINATED,
} from "./environment.ts";

const options = {
  size: { type: "integer", minimum: 2, maximum: 19, default: 11, description: "Cells along each side of the board" },
  swap: {
    type: "boolean",
    default: false,
    description: "Whether the second seat may, instead of its first stone, take over the first seat's (the pie rule)",
  },
} as const;

/** A cell holds 0, or the seat's stone with flags for the seat's two edges that the stone is connected to. */
const STONE = 1;
const NEAR = 4;
const FAR = 8;
const BOTH = NEAR | FAR;

/**
 * Seat 0 wins by a chain from the top row to the bottom row, seat 1 from the left column to the right column. Each stone
 * knows whether it is connected to its seat's near edge (top or left) and far edge; a new stone takes these flags from
 * the edge it is on and from its neighbours, and gives new ones on to the group. A stone is given each flag once in a
 * game, so a step costs a constant on average, and a state holds nothing but the cells.
 */
class Hex implements SequentialRules {
  readonly turn = "sequential";
  readonly info: RulesInfo;
  readonly #size: number;
  readonly #cells: number;
  readonly #swap: boolean;
  /** Six neighbours of each cell; where there are fewer, the cell after the last, which is always empty. */
  readonly #neighbours: Int16Array;
  /** The flags that a stone of seat s has on cell c by itself, at [s × cells + c]. */
  readonly #edges: Uint8Array;
  /** Stones that are still to give their flags on. Only used within `apply`. */
  readonly #stack: Int16Array;

  constructor(size: number, swap: boolean) {
    const cells = size * size;
    this.#size = size;
    this.#cells = cells;
    this.#swap = swap;
    this.#stack = new Int16Array(cells);
    this.#edges = new Uint8Array(2 * cells);
    this.#neighbours = new Int16Array(6 * cells).fill(cells);
    for (let cell = 0; cell < cells; cell++) {
      const row = Math.floor(cell / size);
      const column = cell % size;
      this.#edges[cell] = (row === 0 ? NEAR : 0) | (row === size - 1 ? FAR : 0);
      this.#edges[cells + cell] = (column === 0 ? NEAR : 0) | (column === size - 1 ? FAR : 0);
      const around = [
        [row - 1, column],
        [row - 1, column + 1],
        [row, column - 1],
        [row, column + 1],
        [row + 1, column - 1],
        [row + 1, column],
      ] as const;
      for (const [i, [r, c]] of around.entries())
        if (r >= 0 && r < size && c >= 0 && c < size) this.#neighbours[6 * cell + i] = r * size + c;
    }
    this.info = {
      seats: 2,
      ownInts: cells + 1,
      ownFloats: 0,
      actions: swap ? cells + 1 : cells,
      observation: { type: "Box", shape: [size, size, 2], dtype: "int8", low: 0, high: 1 },
      returnRange: [-1, 1],
      zeroSum: true,
      maxSteps: Number.POSITIVE_INFINITY,
      chance: false,
      perfectInformation: true,
    };
  }

  init(state: State): void {
    state.ints[ACTORS] = 1;
  }

  #maySwap(state: State): boolean {
    return this.#swap && state.ints[STEPS] === 1;
  }

  isLegal(state: State, _seat: number, action: number): boolean {
    if (action >>> 0 !== action) return false;
    if (action < this.#cells) return state.ints[OWN + action] === 0;
    return action === this.#cells && this.#maySwap(state);
  }

  mask(state: State, _seat: number, mask: Uint8Array): void {
    const { ints } = state;
    for (let cell = 0; cell < this.#cells; cell++) mask[cell] = ints[OWN + cell] === 0 ? 1 : 0;
    if (this.#swap) mask[this.#cells] = this.#maySwap(state) ? 1 : 0;
  }

  apply(state: State, seat: number, action: number): void {
    const { ints, floats } = state;
    const cell = action === this.#cells ? this.#takeOver(ints) : action;
    const stone = STONE + seat;
    const neighbours = this.#neighbours;
    let flags = this.#edges[seat * this.#cells + cell]!;
    // A stone of the other seat, or none, differs from this one in its low bits.
    for (let i = 6 * cell; i < 6 * cell + 6; i++) {
      const value = ints[OWN + neighbours[i]!]!;
      if ((value & ~BOTH) === stone) flags |= value;
    }
    flags &= BOTH;
    ints[OWN + cell] = stone | flags;
    if (flags === BOTH) {
      ints[ENDED] = TERMINATED;
      floats[seat] = 1;
      floats[1 - seat] = -1;
      return;
    }
    if (flags !== 0) this.#spread(ints, cell, stone, flags);
    ints[ACTORS] = 2 - seat;
  }

  /** Takes the first stone from the board; returns the cell where it lies as the other seat's. */
  #takeOver(ints: Int32Array): number {
    let cell = 0;
    while (ints[OWN + cell] === 0) cell++;
    ints[OWN + cell] = 0;
    return (cell % this.#size) * this.#size + Math.floor(cell / this.#size);
  }

  /** Gives the one flag of the stone on `cell` to its group: those that have it already have told their neighbours. */
  #spread(ints: Int32Array, cell: number, stone: number, flag: number): void {
    const neighbours = this.#neighbours;
    const stack = this.#stack;
    let height = 0;
    let from = cell;
    for (;;) {
      for (let i = 6 * from; i < 6 * from + 6; i++) {
        const to = neighbours[i]!;
        if (ints[OWN + to] !== stone) continue;
        ints[OWN + to] = stone | flag;
        stack[height++] = to;
      }
      if (height === 0) return;
      from = stack[--height]!;
    }
  }

  observe(state: State, seat: number, out: Float64Array): void {
    for (let cell = 0; cell < this.#cells; cell++) {
      const stone = state.ints[OWN + cell]! & ~BOTH;
      out[2 * cell] = stone === STONE + seat ? 1 : 0;
      out[2 * cell + 1] = stone === STONE + 1 - seat ? 1 : 0;
    }
  }

  render(state: State): string {
    const size = this.#size;
    const letters = Array.from({ length: size }, (_, column) => String.fromCharCode(97 + column));
    const lines = [`   ${letters.join(" ")}   X: top to bottom, O: left to right`];
    for (let row = 0; row < size; row++) {
      const cells = letters.map((_, column) => ".XO"[state.ints[OWN + row * size + column]! & ~BOTH]);
      lines.push(`${" ".repeat(row)}${String(row + 1).padStart(2)} ${cells.join(" ")}`);
    }
    return lines.join("\n");
  }

  actionName(action: number): string {
    if (action === this.#cells) return "swap";
    return `${String.fromCharCode(97 + (action % this.#size))}${1 + Math.floor(action / this.#size)}`;
  }
}

export const hex: EnvironmentDefinition<typeof options> = {
  id: "hex",
  version: 1,
  title: "Hex",
  description:
    "Two seats in turn put a stone on an empty cell; the first seat wins (+1, −1) with a chain from the top row to the bottom " +
    "row, the second with one from the left column to the right column; no game is drawn. Cell (r, c) touches (r, c ± 1), " +
    "(r ± 1, c), (r − 1, c + 1) and (r + 1, c − 1). Action size × r + c is cell (r, c). With the option swap, there is one more " +
    "action, size²: as its first action, the second seat may take the first stone off and put its own on the cell mirrored in " +
    "the long diagonal, (c, r), so that it has what the first seat had, and both keep their edges. An observation is size × size × 2: " +
    "the seat's own stones, then the opponent's.",
  options,
  make: ({ size, swap }) => new Hex(size, swap),
};
