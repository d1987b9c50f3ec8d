/**
 * Connect four: alpha-beta search on bit boards, limited by positions looked at and not by time, so that the same seed
 * plays the same match again.
 *
 * A board is two BigInts, one for each side's discs, since no Number has bits enough. The bit of a cell is column *
 * (rows + 1) + height: each column has one bit more than it has cells, which stays 0, so that a line shifted off the top
 * of a column does not enter the next one.
 */
const POSITIONS = 4000;
const WIN = 1000;

class OutOfPositions extends Error {}

export class Agent {
  constructor({ seed, env }) {
    const { rows, columns } = env.options;
    Object.assign(this, { rows, columns, stride: BigInt(rows + 1) });
    const numbers = Array.from({ length: columns }, (_, column) => column);
    this.bottom = numbers.reduce((sum, column) => sum | (1n << (BigInt(column) * this.stride)), 0n);
    const full = (1n << BigInt(rows)) - 1n;
    this.column = numbers.map((column) => full << (BigInt(column) * this.stride));
    this.cells = this.bottom * full;
    // From the middle outwards: the earlier good moves are tried, the more alpha-beta cuts. The seed decides between
    // the two sides, and so between equal moves.
    const right = seededRandom(seed)() < 0.5 ? 0.1 : -0.1;
    const middle = (columns - 1) / 2;
    this.order = numbers.sort((a, b) => Math.abs(a - middle - right) - Math.abs(b - middle - right));
  }

  act({ observation, action_mask }) {
    let ours = 0n;
    let theirs = 0n;
    let free = 0;
    for (let cell = 0; cell < this.rows * this.columns; cell++) {
      const row = Math.floor(cell / this.columns);
      const bit = 1n << (BigInt(cell % this.columns) * this.stride + BigInt(this.rows - 1 - row));
      if (observation[2 * cell]) ours |= bit;
      else if (observation[2 * cell + 1]) theirs |= bit;
      else free++;
    }
    this.positions = POSITIONS;
    let best = this.order.find((column) => action_mask[column]);
    try {
      // One ply deeper each time: when the positions run out, the last whole search holds.
      for (let depth = 1; depth <= free; depth++) {
        const choice = this.choose(ours, theirs, depth);
        best = choice.column;
        if (Math.abs(choice.score) >= WIN) break;
      }
    } catch (error) {
      if (!(error instanceof OutOfPositions)) throw error;
    }
    return best;
  }

  choose(ours, theirs, depth) {
    const playable = this.playable(ours, theirs);
    let best;
    for (const column of this.order) {
      const move = playable & this.column[column];
      if (move === 0n) continue;
      if (move & this.fourthCells(ours)) return { column, score: 2 * WIN };
      const alpha = best?.score ?? -2 * WIN;
      const score = -this.value(theirs, ours | move, depth - 1, -2 * WIN, -alpha);
      if (best === undefined || score > best.score) best = { column, score };
    }
    return best;
  }

  /** What the position is worth to the side to move: at least WIN if it wins by force, the more the sooner. */
  value(ours, theirs, depth, alpha, beta) {
    if (--this.positions < 0) throw new OutOfPositions();
    let playable = this.playable(ours, theirs);
    if (playable === 0n) return 0;
    if (this.fourthCells(ours) & playable) return WIN + depth;
    const threats = this.fourthCells(theirs);
    if (threats & playable) {
      playable &= threats; // these must be stopped
      if (playable & (playable - 1n)) return -WIN - depth; // and there are two
    }
    if (depth <= 0) return this.estimate(ours, theirs, threats);
    let best = alpha;
    for (const column of this.order) {
      const move = playable & this.column[column];
      if (move === 0n) continue;
      best = Math.max(best, -this.value(theirs, ours | move, depth - 1, -beta, -best));
      if (best >= beta) break;
    }
    return best;
  }

  /** Empty cells that would complete four in a row, ours against theirs, and a little for the middle. */
  estimate(ours, theirs, threats) {
    const free = this.cells & ~(ours | theirs);
    const middle = this.column[this.columns >> 1];
    return (
      8 * (bits(this.fourthCells(ours) & free) - bits(threats & free)) + bits(ours & middle) - bits(theirs & middle)
    );
  }

  /** The lowest free cell of each column. */
  playable(ours, theirs) {
    return ((ours | theirs) + this.bottom) & this.cells;
  }

  /** All cells that would make four in a row with three of these discs. */
  fourthCells(discs) {
    let cells = 0n;
    for (const step of [1n, this.stride - 1n, this.stride, this.stride + 1n]) {
      const below = discs << step;
      const above = discs >> step;
      const twoBelow = below & (discs << (2n * step));
      const twoAbove = above & (discs >> (2n * step));
      cells |= twoBelow & (discs << (3n * step)); // ooo.
      cells |= twoAbove & (discs >> (3n * step)); // .ooo
      cells |= twoBelow & above; // oo.o
      cells |= twoAbove & below; // o.oo
    }
    return cells & this.cells;
  }
}

function bits(number) {
  let count = 0;
  for (let left = number; left !== 0n; left &= left - 1n) count++;
  return count;
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
