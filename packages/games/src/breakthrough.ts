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

/** Columns fit the bits of one integer of the state; 19 keeps the board printable. */
const LARGEST = 19;
/** Boards with fewer rows hold one row of pieces a seat, not two: OpenSpiel's rule. */
const TWO_ROWS_FROM = 6;

const options = {
  rows: { type: "integer", minimum: 3, maximum: LARGEST, default: 8, description: "The board's height in cells" },
  columns: { type: "integer", minimum: 2, maximum: LARGEST, default: 8, description: "The board's width in cells" },
} as const;

/**
 * The state holds a bit set for each row and seat: bit c of `ints[OWN + seat × rows + row]` says that the seat has a piece
 * in column c of the row, row 0 at the top. Seat 0 goes down, seat 1 up. The foremost piece of a seat can always go
 * diagonally, for only a piece of its own could stop it: so there is always a legal action, and every one of them brings
 * the end nearer.
 */
class Breakthrough implements SequentialRules {
  readonly turn = "sequential";
  readonly info: RulesInfo;
  readonly #rows: number;
  readonly #columns: number;
  readonly #full: number;

  constructor(rows: number, columns: number) {
    this.#rows = rows;
    this.#columns = columns;
    this.#full = (1 << columns) - 1;
    this.info = {
      seats: 2,
      ownInts: 2 * rows,
      ownFloats: 0,
      actions: 3 * rows * columns,
      observation: { type: "Box", shape: [rows, columns, 2], dtype: "int8", low: 0, high: 1 },
      returnRange: [-1, 1],
      zeroSum: true,
      maxSteps: Number.POSITIVE_INFINITY,
      chance: false,
      perfectInformation: true,
    };
  }

  init({ ints }: State): void {
    const rows = this.#rows;
    const filled = rows < TWO_ROWS_FROM ? 1 : 2;
    for (let row = 0; row < filled; row++) {
      ints[OWN + row] = this.#full;
      ints[OWN + rows + rows - 1 - row] = this.#full;
    }
    ints[ACTORS] = 1;
  }

  isLegal({ ints }: State, seat: number, action: number): boolean {
    const rows = this.#rows;
    const columns = this.#columns;
    if (action >>> 0 !== action || action >= 3 * rows * columns) return false;
    const column = Math.floor(action / 3) % columns;
    const to = column + (action % 3) - 1;
    if (to < 0 || to >= columns) return false;
    const own = OWN + seat * rows + Math.floor(action / (3 * columns));
    if (((ints[own]! >> column) & 1) === 0) return false;
    const other = own + rows - 2 * seat * rows;
    const ahead = 1 - 2 * seat;
    const taken = to === column ? ints[own + ahead]! | ints[other + ahead]! : ints[own + ahead]!;
    return ((taken >> to) & 1) === 0;
  }

  mask({ ints }: State, seat: number, mask: Uint8Array): void {
    const rows = this.#rows;
    const ahead = 1 - 2 * seat;
    let at = 0;
    for (let row = 0; row < rows; row++) {
      const own = ints[OWN + seat * rows + row]!;
      const next = row + ahead;
      const onBoard = next >= 0 && next < rows;
      const free = onBoard ? this.#full & ~ints[OWN + seat * rows + next]! : 0;
      const empty = onBoard ? free & ~ints[OWN + (1 - seat) * rows + next]! : 0;
      const left = own & (free << 1);
      const straight = own & empty;
      const right = own & (free >> 1);
      for (let column = 0; column < this.#columns; column++) {
        mask[at++] = (left >> column) & 1;
        mask[at++] = (straight >> column) & 1;
        mask[at++] = (right >> column) & 1;
      }
    }
  }

  apply({ ints, floats }: State, seat: number, action: number): void {
    const rows = this.#rows;
    const row = Math.floor(action / (3 * this.#columns));
    const column = Math.floor(action / 3) % this.#columns;
    const bit = 1 << (column + (action % 3) - 1);
    const next = row + 1 - 2 * seat;
    const own = OWN + seat * rows;
    const other = OWN + rows - seat * rows;
    ints[own + row] = ints[own + row]! & ~(1 << column);
    ints[own + next] = ints[own + next]! | bit;
    ints[other + next] = ints[other + next]! & ~bit;
    if (next === (seat === 0 ? rows - 1 : 0) || this.#bare(ints, other)) {
      ints[ENDED] = TERMINATED;
      floats[seat] = 1;
      floats[1 - seat] = -1;
    } else ints[ACTORS] = 2 - seat;
  }

  /** Whether the seat whose rows begin at `ints[from]` has lost all its pieces. */
  #bare(ints: Int32Array, from: number): boolean {
    for (let row = 0; row < this.#rows; row++) if (ints[from + row] !== 0) return false;
    return true;
  }

  observe({ ints }: State, seat: number, out: Float64Array): void {
    const rows = this.#rows;
    let at = 0;
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < this.#columns; column++) {
        out[at++] = (ints[OWN + seat * rows + row]! >> column) & 1;
        out[at++] = (ints[OWN + (1 - seat) * rows + row]! >> column) & 1;
      }
  }

  render({ ints }: State): string {
    const rows = this.#rows;
    const letters = Array.from({ length: this.#columns }, (_, column) => String.fromCharCode(97 + column));
    const lines = [`   ${letters.join(" ")}   X: downwards, O: upwards`];
    for (let row = 0; row < rows; row++) {
      const cells = letters.map(
        (_, column) => ".XO"[((ints[OWN + row]! >> column) & 1) + 2 * ((ints[OWN + rows + row]! >> column) & 1)],
      );
      lines.push(`${String(rows - row).padStart(2)} ${cells.join(" ")}`);
    }
    return lines.join("\n");
  }

  /** The cell and the column that the piece goes to, such as "b7-c"; which way is forwards, the seat tells. */
  actionName(action: number): string {
    const column = Math.floor(action / 3) % this.#columns;
    const to = column + (action % 3) - 1;
    const from = `${String.fromCharCode(97 + column)}${this.#rows - Math.floor(action / (3 * this.#columns))}`;
    return `${from}-${to < 0 || to >= this.#columns ? "off" : String.fromCharCode(97 + to)}`;
  }
}

export const breakthrough: EnvironmentDefinition<typeof options> = {
  id: "breakthrough",
  version: 1,
  title: "Breakthrough",
  description:
    "Two seats in turn move a piece one row forwards, straight or diagonally, onto an empty cell, or diagonally onto one of the opponent's " +
    "pieces, which is taken. Seat 0 begins at the top and goes down, seat 1 up. Who reaches the opposite row, or takes the last piece, " +
    "wins (+1, −1); no game is drawn. Action 3 × (columns × r + c) + d moves the piece on cell (r, c), row 0 at the top, to column " +
    "c + d − 1. An observation is rows × columns × 2, the top row first: the seat's own pieces, then the opponent's.",
  options,
  make: ({ rows, columns }) => new Breakthrough(rows, columns),
};
