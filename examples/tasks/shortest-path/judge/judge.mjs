import { randomFrom } from "./random.mjs";

const NEIGHBOURS = [
  [0, 1],
  [1, 0],
  [0, -1],
  [-1, 0],
];

export function judge({ seed, data }, agent) {
  const random = randomFrom(seed);
  let points = 0;
  let shortest = 0;
  for (let n = 0; n < data.mazes; n++) {
    const { maze, length } = makeMaze(data.size, random);
    const last = data.size - 1;
    const path = agent.ask({ maze, from: [0, 0], to: [last, last] });
    if (!isPath(path, maze)) continue;
    points += path.length === length ? 1 : 0.5;
    if (path.length === length) shortest++;
  }
  const message = `${shortest} of ${data.mazes} paths are of the shortest.`;
  return { value: points / data.mazes, message };
}

/** Mazes that can be left, and whose shortest path is not the straight one. */
function makeMaze(size, random) {
  for (;;) {
    const maze = Array.from({ length: size }, (_, row) =>
      Array.from({ length: size }, (_, column) => {
        const end = (row === 0 && column === 0) || (row === size - 1 && column === size - 1);
        return !end && random() < 0.3 ? "#" : ".";
      }).join(""),
    );
    const length = lengthOf(maze);
    if (length !== undefined) return { maze, length };
  }
}

function lengthOf(maze) {
  const last = maze.length - 1;
  const seen = new Set(["0,0"]);
  let wave = [[0, 0]];
  for (let length = 1; wave.length > 0; length++) {
    const next = [];
    for (const [row, column] of wave) {
      if (row === last && column === last) return length;
      for (const [down, right] of NEIGHBOURS) {
        const cell = [row + down, column + right];
        if (maze[cell[0]]?.[cell[1]] !== "." || seen.has(cell.join())) continue;
        seen.add(cell.join());
        next.push(cell);
      }
    }
    wave = next;
  }
  return undefined;
}

/** Whatever was answered: anything that JSON has. */
function isPath(path, maze) {
  const last = maze.length - 1;
  if (!Array.isArray(path) || path.length === 0 || path.length > maze.length ** 2) return false;
  if (!path.every((cell) => Array.isArray(cell) && cell.length === 2 && cell.every(Number.isInteger))) return false;
  if (!path.every(([row, column]) => maze[row]?.[column] === ".")) return false;
  const steps = path.slice(1).map(([row, column], i) => Math.abs(row - path[i][0]) + Math.abs(column - path[i][1]));
  const [[row, column], end] = [path[0], path.at(-1)];
  return row === 0 && column === 0 && end[0] === last && end[1] === last && steps.every((step) => step === 1);
}
