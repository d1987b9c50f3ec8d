/**
 * Hex: follows its own shortest way from edge to edge, as if it were alone on the board.
 *
 * The shortest way counts the empty cells that are still to be filled; its own stones cost nothing, the opponent's cannot
 * be passed. Where there are several shortest ways, the seed says which.
 */
export class Agent {
  constructor({ seat, seed, env }) {
    this.random = seededRandom(seed);
    this.size = env.options.size;
    this.downwards = seat === 0; // seat 0 goes from the top row to the bottom row, seat 1 from left to right
  }

  act({ observation }) {
    const cost = this.costs(observation);
    const empty = this.shortestWay(cost).filter((cell) => cost[cell] === 1);
    return empty[Math.floor(this.random() * empty.length)];
  }

  /** For each cell: 0 if it is ours, 1 if it is empty, Infinity if it is the opponent's. Observations are flat here. */
  costs(observation) {
    return Array.from({ length: this.size ** 2 }, (_, cell) => {
      const [ours, theirs] = [observation[2 * cell], observation[2 * cell + 1]];
      return ours ? 0 : theirs ? Number.POSITIVE_INFINITY : 1;
    });
  }

  neighbours(cell) {
    const { size } = this;
    const [row, column] = [Math.floor(cell / size), cell % size];
    return [
      [row - 1, column],
      [row - 1, column + 1],
      [row, column - 1],
      [row, column + 1],
      [row + 1, column - 1],
      [row + 1, column],
    ]
      .filter(([r, c]) => r >= 0 && r < size && c >= 0 && c < size)
      .map(([r, c]) => r * size + c);
  }

  /** How far the cell is on the way from our first edge (0) to our last (size − 1). */
  progress(cell) {
    return this.downwards ? Math.floor(cell / this.size) : cell % this.size;
  }

  /** Dijkstra's way with buckets: costs are 0 and 1, so two lists do for a queue. */
  shortestWay(cost) {
    const cameFrom = new Map();
    let now = [];
    let later = [];
    const queue = (cell, before) => {
      if (cost[cell] === 0) now.push([cell, before]);
      else if (cost[cell] === 1) later.push([cell, before]);
    };
    for (let cell = 0; cell < cost.length; cell++) if (this.progress(cell) === 0) queue(cell, undefined);
    while (now.length + later.length > 0) {
      if (now.length === 0) {
        now = this.shuffled(later);
        later = [];
      }
      const [cell, before] = now.pop();
      if (cameFrom.has(cell)) continue;
      cameFrom.set(cell, before);
      if (this.progress(cell) === this.size - 1) return trace(cameFrom, cell);
      for (const next of this.neighbours(cell)) if (!cameFrom.has(next)) queue(next, cell);
    }
    throw new Error("the opponent has won: there is no way left");
  }

  shuffled(list) {
    for (let i = list.length - 1; i > 0; i--) {
      const j = Math.floor(this.random() * (i + 1));
      [list[i], list[j]] = [list[j], list[i]];
    }
    return list;
  }
}

function trace(cameFrom, end) {
  const way = [];
  for (let cell = end; cell !== undefined; cell = cameFrom.get(cell)) way.push(cell);
  return way;
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
