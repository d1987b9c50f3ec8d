import type { Make, PageElement } from "./dom.ts";
import type { Frame, View } from "./page-data.ts";

/** Runs in the page, by itself: it must not use anything but its arguments. */
export function paintHex(
  make: Make,
  view: View & { kind: "hex" },
  frame: Frame,
  colours: readonly string[],
): PageElement {
  const size = view.rows;
  const radius = 20;
  const wide = Math.sqrt(3) * radius;
  const centre = (row: number, column: number): [number, number] => [(column + row / 2) * wide, row * 1.5 * radius];
  const corner = (row: number, column: number, which: number, grow: number): [number, number] => {
    const [x, y] = centre(row, column);
    const angle = (Math.PI / 180) * (60 * which - 90);
    return [x + (radius + grow) * Math.cos(angle), y + (radius + grow) * Math.sin(angle)];
  };
  const text = (points: [number, number][]): string =>
    points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const [right, bottom] = centre(size - 1, size - 1);
  const margin = 44;
  const svg = make("svg", {
    viewBox: `${-wide / 2 - margin} ${-radius - margin} ${right + wide + 2 * margin} ${bottom + 2 * radius + 2 * margin}`,
    role: "img",
    class: "board",
  });
  const along = Array.from({ length: size }, (_, i) => i);
  const sides: [colour: number, points: [number, number][]][] = [
    [0, along.flatMap((i) => [5, 0, 1].map((which) => corner(0, i, which, 4)))],
    [0, along.flatMap((i) => [4, 3, 2].map((which) => corner(size - 1, i, which, 4)))],
    [1, along.flatMap((i) => [5, 4, 3].map((which) => corner(i, 0, which, 4)))],
    [1, along.flatMap((i) => [0, 1, 2].map((which) => corner(i, size - 1, which, 4)))],
  ];
  for (const [colour, points] of sides)
    svg.append(
      make("polyline", {
        points: text(points),
        fill: "none",
        stroke: colours[colour]!,
        "stroke-width": 7,
        "stroke-linejoin": "round",
        "stroke-linecap": "round",
      }),
    );
  for (const i of along) {
    const [x, y] = centre(0, i);
    svg.append(make("text", { x: x - wide / 4, y: y - radius - 16, class: "coordinate" }, String.fromCharCode(97 + i)));
    const [left, middle] = centre(i, 0);
    svg.append(make("text", { x: left - wide / 2 - 20, y: middle + 2, class: "coordinate" }, String(i + 1)));
  }
  for (let cell = 0; cell < size * size; cell++) {
    const [row, column] = [Math.floor(cell / size), cell % size];
    const points = [0, 1, 2, 3, 4, 5].map((which) => corner(row, column, which, -0.6));
    svg.append(make("polygon", { points: text(points), class: "cell" }));
    const owner = Number(frame.board[cell]);
    if (owner === 0) continue;
    const [x, y] = centre(row, column);
    const decisive = frame.decisive.includes(cell);
    svg.append(make("circle", { cx: x, cy: y, r: radius * 0.7, fill: colours[owner - 1]!, class: "stone" }));
    if (decisive) svg.append(make("circle", { cx: x, cy: y, r: radius * 0.7, class: "decisive" }));
    if (frame.changed.includes(cell)) svg.append(make("circle", { cx: x, cy: y, r: radius * 0.22, class: "last" }));
  }
  return svg;
}
