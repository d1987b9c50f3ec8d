import {
  ACTORS,
  ENDED,
  type EnvironmentDefinition,
  OWN,
  type RulesInfo,
  type SequentialRules,
  type State,
  TERMINATED,
} from "./environment.ts";

const options = {} as const;

const CELLS = 64;
const PASS = CELLS;
/** Where the rules keep the discs of seat 0, those of seat 1, and the cells where the seat to act may play. */
const DISCS = OWN;
const MOVES = OWN + 4;

/**
 * The eight directions, as bits to shift a board by. A board is two integers: bit 8 × r + c of the low one is cell (r, c)
 * of the upper four rows, the high one holds the lower four in the same way. `guard` keeps out of the result the cells of the
 * column that a step to the side would enter from around the edge.
 */
const NOT_FIRST = ~0x01010101;
const NOT_LAST = ~0x80808080;
const DIRECTIONS = [
  { by: 1, guard: NOT_FIRST },
  { by: 8, guard: -1 },
  { by: 9, guard: NOT_FIRST },
  { by: 7, guard: NOT_LAST },
  { by: -1, guard: NOT_LAST },
  { by: -8, guard: -1 },
  { by: -9, guard: NOT_LAST },
  { by: -7, guard: NOT_FIRST },
] as const;

/** The low integer of the board (low, high) moved by `by` bits, up (positive) or down; `shiftHigh` gives the other one. */
function shiftLow(low: number, high: number, by: number): number {
  return by > 0 ? low << by : (low >>> -by) | (high << (32 + by));
}

function shiftHigh(low: number, high: number, by: number): number {
  return by > 0 ? (high << by) | (low >>> (32 - by)) : high >>> -by;
}

function count(bits: number): number {
  let n = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) n++;
  return n;
}

function hasMoves(ints: Int32Array): boolean {
  return (ints[MOVES]! | ints[MOVES + 1]!) !== 0;
}

/** 1 if the seat has a disc on the cell, else 0. */
function disc(ints: Int32Array, seat: number, cell: number): number {
  return (ints[DISCS + 2 * seat + (cell >> 5)]! >>> (cell & 31)) & 1;
}

class Othello implements SequentialRules {
  readonly turn = "sequential";
  readonly info: RulesInfo = {
    seats: 2,
    ownInts: 6,
    ownFloats: 0,
    actions: CELLS + 1,
    observation: { type: "Box", shape: [8, 8, 2], dtype: "int8", low: 0, high: 1 },
    returnRange: [-1, 1],
    zeroSum: true,
    maxSteps: Number.POSITIVE_INFINITY,
    chance: false,
    perfectInformation: true,
  };

  init(state: State): void {
    const { ints } = state;
    // Black on e4 and d5, white on d4 and e5; black, seat 0, begins.
    ints[DISCS] = 1 << (24 + 4);
    ints[DISCS + 1] = 1 << 3;
    ints[DISCS + 2] = 1 << (24 + 3);
    ints[DISCS + 3] = 1 << 4;
    ints[ACTORS] = 1;
    this.#findMoves(ints, 0);
  }

  isLegal(state: State, _seat: number, action: number): boolean {
    const { ints } = state;
    if (action >>> 0 !== action || action > PASS) return false;
    if (action === PASS) return !hasMoves(ints);
    return ((ints[MOVES + (action >> 5)]! >>> (action & 31)) & 1) === 1;
  }

  mask(state: State, _seat: number, mask: Uint8Array): void {
    const low = state.ints[MOVES]!;
    const high = state.ints[MOVES + 1]!;
    for (let cell = 0; cell < 32; cell++) {
      mask[cell] = (low >>> cell) & 1;
      mask[32 + cell] = (high >>> cell) & 1;
    }
    mask[PASS] = (low | high) === 0 ? 1 : 0;
  }

  apply(state: State, seat: number, action: number): void {
    const { ints } = state;
    const other = 1 - seat;
    if (action !== PASS) this.#place(ints, seat, action);
    this.#findMoves(ints, other);
    if (!hasMoves(ints)) {
      // The other seat must pass, unless this one has no move either: then nobody will have one again.
      this.#findMoves(ints, seat);
      if (!hasMoves(ints)) {
        this.#finish(state);
        return;
      }
      ints[MOVES] = 0;
      ints[MOVES + 1] = 0;
    }
    ints[ACTORS] = 1 << other;
  }

  /** Writes to MOVES where the seat may play: where a line of the other's discs, begun by one of its own, ends on a free cell. */
  #findMoves(ints: Int32Array, seat: number): void {
    const ownLow = ints[DISCS + 2 * seat]!;
    const ownHigh = ints[DISCS + 2 * seat + 1]!;
    const otherLow = ints[DISCS + 2 - 2 * seat]!;
    const otherHigh = ints[DISCS + 3 - 2 * seat]!;
    let movesLow = 0;
    let movesHigh = 0;
    for (const { by, guard } of DIRECTIONS) {
      const throughLow = otherLow & guard;
      const throughHigh = otherHigh & guard;
      let low = shiftLow(ownLow, ownHigh, by) & throughLow;
      let high = shiftHigh(ownLow, ownHigh, by) & throughHigh;
      // A line between two ends is of six discs at most.
      for (let i = 0; i < 5 && (low | high) !== 0; i++) {
        const nextLow = shiftLow(low, high, by) & throughLow;
        high |= shiftHigh(low, high, by) & throughHigh;
        low |= nextLow;
      }
      movesLow |= shiftLow(low, high, by) & guard;
      movesHigh |= shiftHigh(low, high, by) & guard;
    }
    ints[MOVES] = movesLow & ~(ownLow | otherLow);
    ints[MOVES + 1] = movesHigh & ~(ownHigh | otherHigh);
  }

  /** Puts the seat's disc on a cell and turns every line of the other's discs between it and another of the seat's. */
  #place(ints: Int32Array, seat: number, cell: number): void {
    const own = DISCS + 2 * seat;
    const other = DISCS + 2 - 2 * seat;
    const discLow = cell < 32 ? 1 << cell : 0;
    const discHigh = cell < 32 ? 0 : 1 << (cell - 32);
    let turnedLow = 0;
    let turnedHigh = 0;
    for (const { by, guard } of DIRECTIONS) {
      let lineLow = 0;
      let lineHigh = 0;
      let low = shiftLow(discLow, discHigh, by) & guard;
      let high = shiftHigh(discLow, discHigh, by) & guard;
      while (((low & ints[other]!) | (high & ints[other + 1]!)) !== 0) {
        lineLow |= low;
        lineHigh |= high;
        const nextLow = shiftLow(low, high, by) & guard;
        high = shiftHigh(low, high, by) & guard;
        low = nextLow;
      }
      if (((low & ints[own]!) | (high & ints[own + 1]!)) === 0) continue;
      turnedLow |= lineLow;
      turnedHigh |= lineHigh;
    }
    ints[own] = ints[own]! | discLow | turnedLow;
    ints[own + 1] = ints[own + 1]! | discHigh | turnedHigh;
    ints[other] = ints[other]! & ~turnedLow;
    ints[other + 1] = ints[other + 1]! & ~turnedHigh;
  }

  #finish({ ints, floats }: State): void {
    const lead = count(ints[DISCS]!) + count(ints[DISCS + 1]!) - count(ints[DISCS + 2]!) - count(ints[DISCS + 3]!);
    ints[ENDED] = TERMINATED;
    if (lead === 0) return;
    floats[0] = lead > 0 ? 1 : -1;
    floats[1] = lead > 0 ? -1 : 1;
  }

  observe(state: State, seat: number, out: Float64Array): void {
    for (let cell = 0; cell < CELLS; cell++) {
      out[2 * cell] = disc(state.ints, seat, cell);
      out[2 * cell + 1] = disc(state.ints, 1 - seat, cell);
    }
  }

  render(state: State): string {
    const lines = ["  a b c d e f g h"];
    for (let row = 0; row < 8; row++) {
      const cells = Array.from({ length: 8 }, (_, column) => {
        const cell = 8 * row + column;
        return ".XO"[disc(state.ints, 0, cell) + 2 * disc(state.ints, 1, cell)];
      });
      lines.push(`${row + 1} ${cells.join(" ")}`);
    }
    return lines.join("\n");
  }

  actionName(action: number): string {
    return action === PASS ? "pass" : `${"abcdefgh"[action % 8]}${1 + (action >> 3)}`;
  }
}

export const othello: EnvironmentDefinition<typeof options> = {
  id: "othello",
  version: 1,
  title: "Othello",
  description:
    "Two seats in turn put a disc on an 8 × 8 board so that it and another of the seat's discs hold a line of the other seat's " +
    "between them; all such lines are turned over. A seat that cannot must pass; when neither can, the one with more discs wins " +
    "(+1, −1), or it is a draw. Action 8 × r + c is cell (r, c), row 0 at the top; action 64 is to pass, legal only where nothing " +
    "else is. An observation is 8 × 8 × 2: the seat's own discs, then the opponent's.",
  options,
  make: () => new Othello(),
};
