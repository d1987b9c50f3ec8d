/** How an environment's positions are drawn, and what is worth pointing at in them. */
import type { Environment, State } from "@lanista/games/environment";
import type { View } from "./page-data.ts";

const GRIDS = new Map<string, "hex" | "discs" | "othello" | "marks" | "pieces">([
  ["hex", "hex"],
  ["connect-four", "discs"],
  ["othello", "othello"],
  ["tic-tac-toe", "marks"],
  ["breakthrough", "pieces"],
]);

const COLOURS: Readonly<Record<View["kind"], readonly string[]>> = {
  hex: ["#e5484d", "#3b82f6"],
  discs: ["#e5484d", "#f5b301"],
  othello: ["#1f2328", "#f6f6f3"],
  marks: ["#e5484d", "#3b82f6"],
  pieces: ["#e5484d", "#3b82f6"],
  pong: ["#e5484d", "#3b82f6"],
  text: ["#e5484d", "#3b82f6", "#2f9e6e", "#a855f7", "#f5b301", "#0ea5b7"],
};

export function viewOf(env: Environment): View {
  const { observation } = env.info;
  const grid = GRIDS.get(env.definition.id);
  if (grid !== undefined && observation.type === "Box" && observation.shape.length === 3) {
    const [rows, columns] = observation.shape as [number, number];
    return { kind: grid, rows, columns };
  }
  const { width, height, paddle_height, ball_radius } = env.options;
  if (env.definition.id === "pong" && typeof width === "number" && typeof height === "number")
    return { kind: "pong", width, height, paddle: Number(paddle_height), radius: Number(ball_radius), face: 0.05 };
  return { kind: "text" };
}

/** Where the stones' own colours could not be told from the page. */
const CHART_COLOURS: Partial<Record<View["kind"], readonly string[]>> = { othello: ["#5b6570", "#aab3bd"] };

/** The colour of a seat's bars: seen on a light page and on a dark one. */
export function chartColourOf(view: View, seat: number): string {
  return CHART_COLOURS[view.kind]?.[seat] ?? colourOf(view, seat);
}

export function colourOf(view: View, seat: number): string {
  const colours = COLOURS[view.kind];
  return colours[seat % colours.length]!;
}

/** Seat 0's observation of the boards is its own stones and the other's: so the drawing needs nothing but the interface. */
export function boardOf(env: Environment, view: View, state: State): string | number[] {
  if (view.kind === "text") return env.render(state);
  const seen = new Float64Array(env.observationSize());
  env.observe(state, 0, seen);
  if (view.kind === "pong") return Array.from(seen, (value) => Math.round(value * 1e4) / 1e4);
  const planes = seen.length / (view.rows * view.columns);
  let board = "";
  for (let cell = 0; cell < view.rows * view.columns; cell++)
    board += seen[cell * planes] === 1 ? "1" : seen[cell * planes + 1] === 1 ? "2" : "0";
  return board;
}

/** Indices of the cells that differ. */
export function changedCells(from: string | readonly number[], to: string | readonly number[], view: View): number[] {
  if (view.kind === "text" || view.kind === "pong" || typeof from !== "string" || typeof to !== "string") return [];
  return Array.from(to, (_, cell) => cell).filter(
    (cell) => from[cell] !== to[cell] && (view.kind !== "othello" || from[cell] === "0"),
  );
}

const LINES = { discs: 4, marks: 3 } as const;

/** The cells that won: a line, the shortest chain between the edges, or the piece that is through. Empty where nobody has. */
export function decisiveCells(board: string | readonly number[], view: View): number[] {
  if (typeof board !== "string") return [];
  if (view.kind === "discs" || view.kind === "marks") return lines(board, view.rows, view.columns, LINES[view.kind]);
  if (view.kind === "pieces") return through(board, view.rows, view.columns);
  if (view.kind === "hex") return chain(board, view.rows, "1", false) ?? chain(board, view.rows, "2", true) ?? [];
  return [];
}

/** Seat 0's pieces go down, seat 1's up. */
function through(board: string, rows: number, columns: number): number[] {
  const won = (cell: number) => board[cell] === (cell < columns ? "2" : cell >= (rows - 1) * columns ? "1" : "none");
  return Array.from(board, (_, cell) => cell).filter(won);
}

function lines(board: string, rows: number, columns: number, length: number): number[] {
  const found = new Set<number>();
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (const [down, right] of [
        [0, 1],
        [1, 0],
        [1, 1],
        [1, -1],
      ] as const) {
        const run = Array.from({ length }, (_, i) => [row + i * down, column + i * right] as const);
        const [r, c] = run[length - 1]!;
        if (r >= rows || c < 0 || c >= columns) continue;
        const cells = run.map(([y, x]) => y * columns + x);
        if (board[cells[0]!] !== "0" && cells.every((cell) => board[cell] === board[cells[0]!]))
          for (const cell of cells) found.add(cell);
      }
  return [...found];
}

/** Breadth first from one edge: from the top to the bottom, or from the left to the right. */
function chain(board: string, size: number, stone: string, across: boolean): number[] | undefined {
  const cameFrom = new Map<number, number>();
  const queue: number[] = [];
  for (let i = 0; i < size; i++) {
    const cell = across ? i * size : i;
    if (board[cell] === stone) {
      cameFrom.set(cell, -1);
      queue.push(cell);
    }
  }
  for (const cell of queue) {
    const [row, column] = [Math.floor(cell / size), cell % size];
    if ((across ? column : row) === size - 1) {
      const path: number[] = [];
      for (let at = cell; at >= 0; at = cameFrom.get(at)!) path.push(at);
      return path;
    }
    for (const [r, c] of [
      [row - 1, column],
      [row - 1, column + 1],
      [row, column - 1],
      [row, column + 1],
      [row + 1, column - 1],
      [row + 1, column],
    ] as const) {
      const next = r * size + c;
      if (r < 0 || r >= size || c < 0 || c >= size || board[next] !== stone || cameFrom.has(next)) continue;
      cameFrom.set(next, cell);
      queue.push(next);
    }
  }
  return undefined;
}
