/** Connect four: wins if it can, else stops the opponent's win if there is one, else plays as near the middle as it can. */
const DIRECTIONS = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
];

export class Agent {
  constructor({ seed, env }) {
    this.random = seededRandom(seed);
    this.rows = env.options.rows;
    this.columns = env.options.columns;
  }

  act({ observation, action_mask }) {
    // Flat, row by row from the top; for each cell ours, then theirs.
    const board = Array.from({ length: this.rows * this.columns }, (_, cell) =>
      observation[2 * cell] ? 1 : observation[2 * cell + 1] ? 2 : 0,
    );
    const legal = action_mask.flatMap((allowed, column) => (allowed ? [column] : []));
    for (const side of [1, 2]) for (const column of legal) if (this.wins(board, column, side)) return column;
    const middle = (this.columns - 1) / 2;
    const far = (column) => Math.abs(column - middle);
    const nearest = Math.min(...legal.map(far));
    const choices = legal.filter((column) => far(column) === nearest);
    return choices[Math.floor(this.random() * choices.length)];
  }

  /** Whether a disc of the side's in the column would make four in a row. */
  wins(board, column, side) {
    let row = this.rows - 1;
    while (board[row * this.columns + column] !== 0) row--;
    return DIRECTIONS.some(
      ([dr, dc]) =>
        1 + this.count(board, row, column, dr, dc, side) + this.count(board, row, column, -dr, -dc, side) >= 4,
    );
  }

  /** How many of the side's discs follow each other from next to the cell in one direction. */
  count(board, row, column, dr, dc, side) {
    for (let length = 0; ; length++) {
      const [r, c] = [row + (length + 1) * dr, column + (length + 1) * dc];
      const inside = r >= 0 && r < this.rows && c >= 0 && c < this.columns;
      if (!inside || board[r * this.columns + c] !== side) return length;
    }
  }
}

/** Random numbers in [0, 1) from a seed (mulberry32): the same seed plays the same match again. */
function seededRandom(seed) {
  let state = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
