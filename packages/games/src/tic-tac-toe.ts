import {
  ACTORS,
  ENDED,
  type EnvironmentDefinition,
  OWN,
  type SequentialRules,
  STEPS,
  type State,
  TERMINATED,
} from "./environment.ts";

const LINES = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 4, 8],
  [2, 4, 6],
] as const;
const options = {} as const;

/** A cell holds 0, or 1 + the seat whose mark is there. */
class TicTacToe implements SequentialRules {
  readonly turn = "sequential";
  readonly info = {
    seats: 2,
    ownInts: 9,
    ownFloats: 0,
    actions: 9,
    observation: { type: "Box", shape: [3, 3, 2], dtype: "int8", low: 0, high: 1 },
    returnRange: [-1, 1],
    zeroSum: true,
    maxSteps: Number.POSITIVE_INFINITY,
    chance: false,
    perfectInformation: true,
  } as const;

  init(state: State): void {
    state.ints[ACTORS] = 1;
  }

  isLegal(state: State, _seat: number, action: number): boolean {
    return action >>> 0 === action && action < 9 && state.ints[OWN + action] === 0;
  }

  mask(state: State, _seat: number, mask: Uint8Array): void {
    for (let cell = 0; cell < 9; cell++) mask[cell] = state.ints[OWN + cell] === 0 ? 1 : 0;
  }

  apply(state: State, seat: number, action: number): void {
    const { ints, floats } = state;
    const mark = seat + 1;
    ints[OWN + action] = mark;
    for (let line = 0; line < LINES.length; line++) {
      const [a, b, c] = LINES[line]!;
      if (ints[OWN + a] === mark && ints[OWN + b] === mark && ints[OWN + c] === mark) {
        ints[ENDED] = TERMINATED;
        floats[seat] = 1;
        floats[1 - seat] = -1;
        return;
      }
    }
    if (ints[STEPS] === 9) ints[ENDED] = TERMINATED;
    else ints[ACTORS] = 1 << (1 - seat);
  }

  observe(state: State, seat: number, out: Float64Array): void {
    for (let cell = 0; cell < 9; cell++) {
      const mark = state.ints[OWN + cell];
      out[2 * cell] = mark === seat + 1 ? 1 : 0;
      out[2 * cell + 1] = mark === 2 - seat ? 1 : 0;
    }
  }

  render(state: State): string {
    const rows: string[] = [];
    for (let row = 0; row < 3; row++)
      rows.push(Array.from({ length: 3 }, (_, column) => ".XO"[state.ints[OWN + 3 * row + column]!]).join(" "));
    return rows.join("\n");
  }

  actionName(action: number): string {
    return `${"abc"[action % 3]}${1 + Math.floor(action / 3)}`;
  }
}

export const ticTacToe: EnvironmentDefinition<typeof options> = {
  id: "tic-tac-toe",
  version: 1,
  title: "Tic-tac-toe",
  description:
    "Two seats mark the cells of a 3 × 3 board in turn; three in a row wins (+1, −1), a full board draws. Actions 0 … 8 are cells, " +
    "row by row. An observation is 3 × 3 × 2: the seat's own marks, then the opponent's (PettingZoo's tictactoe form).",
  options,
  make: () => new TicTacToe(),
};
