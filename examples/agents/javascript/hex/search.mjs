/**
 * Hex: Monte Carlo tree search, limited by the number of playouts, so that the same seed plays the same match again.
 *
 * A playout fills the empty cells at random; exactly one side is then connected. Each node of the tree keeps, for every
 * cell, how often a playout through the node had that cell as its next move and won, and how often it had the cell at any
 * later time and won ("all moves as first"). The second count is known much earlier and leads while the first is small
 * (Gelly and Silver, "Monte-Carlo tree search and rapid action value estimation in computer Go", 2011).
 */
const PLAYOUTS = 1500;
/** After so many visits of a move, its own count and the all-moves-as-first count weigh about the same. */
const TRUST = 300;

const EMPTY = 0;
const OURS = 1;
const THEIRS = 2;
const SEEN = 3;

/** A position, seen by the side to move. The counts are indexed by cell. */
class Node {
  constructor(cells) {
    this.visits = new Float64Array(cells);
    this.wins = new Float64Array(cells);
    this.laterVisits = new Float64Array(cells).fill(1); // as if each cell had been tried twice and won once
    this.laterWins = new Float64Array(cells).fill(0.5);
    this.children = new Map();
  }

  /** Where in `empty` the best move is. */
  best(empty) {
    let best = 0;
    let bestValue = -1;
    for (let i = 0; i < empty.length; i++) {
      const cell = empty[i];
      const visits = this.visits[cell];
      let value = this.laterWins[cell] / this.laterVisits[cell];
      if (visits > 0) {
        const weight = Math.sqrt(TRUST / (3 * visits + TRUST));
        value = weight * value + ((1 - weight) * this.wins[cell]) / visits;
      }
      if (value > bestValue) {
        best = i;
        bestValue = value;
      }
    }
    return best;
  }

  learn(cell, later, won) {
    this.visits[cell] += 1;
    this.wins[cell] += won;
    for (const one of later) {
      this.laterVisits[one] += 1;
      this.laterWins[one] += won;
    }
  }
}

export class Agent {
  constructor({ seat, seed, env }) {
    this.random = seededRandom(seed);
    this.size = env.options.size;
    this.cells = this.size ** 2;
    this.seat = seat;
    this.neighbours = Array.from({ length: this.cells }, (_, cell) => around(cell, this.size));
  }

  act({ observation, action_mask: mask }) {
    const board = Uint8Array.from({ length: this.cells }, (_, cell) =>
      observation[2 * cell] ? OURS : observation[2 * cell + 1] ? THEIRS : EMPTY,
    );
    // The swap, where it is offered: a good first stone is better had than met.
    if (mask[this.cells] && this.isCentral(board.indexOf(THEIRS))) return this.cells;
    const empty = [...board.keys()].filter((cell) => board[cell] === EMPTY);
    this.shuffle(empty); // so that equal moves are not always tried from the top left
    const root = new Node(this.cells);
    for (let i = 0; i < PLAYOUTS; i++) this.playout(root, board.slice(), empty.slice());
    return empty.reduce((best, cell) => (root.visits[cell] > root.visits[best] ? cell : best));
  }

  isCentral(cell) {
    const inMiddleHalf = (place) => this.size <= 4 * place + 2 && 4 * place + 2 <= 3 * this.size;
    return inMiddleHalf(Math.floor(cell / this.size)) && inMiddleHalf(cell % this.size);
  }

  playout(root, board, left) {
    // Down the tree, to the first move that has no node yet.
    const path = [];
    let node = root;
    let side = OURS;
    while (node !== undefined && left.length > 0) {
      const at = node.best(left);
      const cell = left[at];
      left[at] = left[left.length - 1];
      left.pop();
      path.push({ node, cell, side });
      board[cell] = side;
      let child = node.children.get(cell);
      if (child === undefined && node.visits[cell] > 0) {
        child = new Node(this.cells);
        node.children.set(cell, child);
      }
      node = child;
      side = OURS + THEIRS - side;
    }
    // From there on at random.
    const later = { [OURS]: [], [THEIRS]: [] };
    this.shuffle(left);
    for (const cell of left) {
      board[cell] = side;
      later[side].push(cell);
      side = OURS + THEIRS - side;
    }
    const winner = this.connected(board) ? OURS : THEIRS;
    // And back up: every node learns of its own move, and of all cells its side came to hold later.
    for (const { node, cell, side } of path.reverse()) {
      later[side].push(cell);
      node.learn(cell, later[side], side === winner ? 1 : 0);
    }
  }

  /** Whether our stones join our two edges, on a full board. */
  connected(board) {
    const { size, cells } = this;
    const [step, toLast] = this.seat === 0 ? [1, size * (size - 1)] : [size, size - 1];
    const stack = [];
    const visit = (cell) => {
      if (board[cell] !== OURS) return;
      board[cell] = SEEN;
      stack.push(cell);
    };
    for (let cell = 0; cell < size * step; cell += step) visit(cell);
    while (stack.length > 0) for (const cell of this.neighbours[stack.pop()]) visit(cell);
    for (let cell = toLast; cell < Math.min(cells, toLast + size * step); cell += step)
      if (board[cell] === SEEN) return true;
    return false;
  }

  shuffle(list) {
    for (let i = list.length - 1; i > 0; i--) {
      const j = Math.floor(this.random() * (i + 1));
      [list[i], list[j]] = [list[j], list[i]];
    }
  }
}

function around(cell, size) {
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
