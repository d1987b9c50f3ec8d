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

/** Rows fit the bits of one integer of the state; 19 keeps the board printable. */
const LARGEST = 19;

const options = {
  rows: { type: "integer", minimum: 4, maximum: LARGEST, default: 6, description: "The board's height in cells" },
  columns: { type: "integer", minimum: 4, maximum: LARGEST, default: 7, description: "The board's width in cells" },
} as const;

/** Four in a row within one column's bits. */
function fourUpwards(bits: number): boolean {
  const pairs = bits & (bits >> 1);
  return (pairs & (pairs >> 2)) !== 0;
}

/**
 * The state holds a bit set for each column and seat: bit r of `ints[OWN + seat × columns + column]` says that the seat
 * has a disc in row r, counted from the bottom. A disc is the lowest bit that neither seat has, and four columns side by
 * side, shifted against each other or not, give all rows' lines in one direction at once.
 */
class ConnectFour implements SequentialRules {
  readonly turn = "sequential";
  readonly info: RulesInfo;
  readonly #rows: number;
  readonly #columns: number;
  readonly #full: number;

  constructor(rows: number, columns: number) {
    this.#rows = rows;
    this.#columns = columns;
    this.#full = (1 << rows) - 1;
    this.info = {
      seats: 2,
      ownInts: 2 * columns,
      ownFloats: 0,
      actions: columns,
      observation: { type: "Box", shape: [rows, columns, 2], dtype: "int8", low: 0, high: 1 },
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

  isLegal(state: State, _seat: number, action: number): boolean {
    // `action >>> 0 === action` is true of the integers in 0 … 2^32 − 1 alone.
    return (
      action >>> 0 === action &&
      action < this.#columns &&
      (state.ints[OWN + action]! | state.ints[OWN + this.#columns + action]!) !== this.#full
    );
  }

  mask(state: State, _seat: number, mask: Uint8Array): void {
    const { ints } = state;
    const columns = this.#columns;
    for (let column = 0; column < columns; column++)
      mask[column] = (ints[OWN + column]! | ints[OWN + columns + column]!) === this.#full ? 0 : 1;
  }

  apply(state: State, seat: number, action: number): void {
    const { ints, floats } = state;
    const columns = this.#columns;
    const taken = ints[OWN + action]! | ints[OWN + columns + action]!;
    // In a column, discs fill from bit 0: the lowest free bit is the filling plus one.
    const own = OWN + seat * columns;
    ints[own + action] = ints[own + action]! | (taken + 1);
    if (this.#wins(ints, own, action)) {
      ints[ENDED] = TERMINATED;
      floats[seat] = 1;
      floats[1 - seat] = -1;
    } else if (ints[STEPS] === this.#rows * columns) ints[ENDED] = TERMINATED;
    else ints[ACTORS] = 2 - seat;
  }

  /** Whether the seat whose columns begin at `ints[own]` has a line through column `action`. */
  #wins(ints: Int32Array, own: number, action: number): boolean {
    if (fourUpwards(ints[own + action]!)) return true;
    const last = Math.min(action, this.#columns - 4);
    for (let first = Math.max(action - 3, 0); first <= last; first++) {
      const a = ints[own + first]!;
      const b = ints[own + first + 1]!;
      const c = ints[own + first + 2]!;
      const d = ints[own + first + 3]!;
      if (((a & b & c & d) | (a & (b >> 1) & (c >> 2) & (d >> 3)) | (a & (b << 1) & (c << 2) & (d << 3))) !== 0)
        return true;
    }
    return false;
  }

  observe(state: State, seat: number, out: Float64Array): void {
    const { ints } = state;
    const columns = this.#columns;
    let at = 0;
    for (let row = this.#rows - 1; row >= 0; row--)
      for (let column = 0; column < columns; column++) {
        out[at++] = (ints[OWN + seat * columns + column]! >> row) & 1;
        out[at++] = (ints[OWN + (1 - seat) * columns + column]! >> row) & 1;
      }
  }

  render(state: State): string {
    const columns = Array.from({ length: this.#columns }, (_, column) => column);
    const lines: string[] = [];
    for (let row = this.#rows - 1; row >= 0; row--)
      lines.push(
        columns
          .map((column) => {
            const first = (state.ints[OWN + column]! >> row) & 1;
            const second = (state.ints[OWN + this.#columns + column]! >> row) & 1;
            return ".XO"[first + 2 * second];
          })
          .join(" "),
      );
    return [...lines, columns.map((column) => this.actionName(column)).join(" ")].join("\n");
  }

  actionName(action: number): string {
    return String.fromCharCode(97 + action);
  }
}

export const connectFour: EnvironmentDefinition<typeof options> = {
  id: "connect-four",
  version: 1,
  title: "Connect four",
  description:
    "Two seats in turn drop a disc into a column that is not full; four in a row, a column or a diagonal win (+1, −1), a full " +
    "board draws. Action c is column c, from the left. An observation is rows × columns × 2, the top row first: the seat's own " +
    "discs, then the opponent's (PettingZoo's connect_four form).",
  options,
  make: ({ rows, columns }) => new ConnectFour(rows, columns),
};
