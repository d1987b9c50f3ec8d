import type { Make, PageElement } from "./dom.ts";
import type { Frame, View } from "./page-data.ts";

/** Connect four, othello, tic-tac-toe and breakthrough. Runs in the page, by itself: it must not use anything but its arguments. */
export function paintGrid(
  make: Make,
  view: View & { kind: "discs" | "othello" | "marks" | "pieces" },
  frame: Frame,
  colours: readonly string[],
): PageElement {
  const { rows, columns, kind } = view;
  const size = 50;
  const margin = 34;
  const svg = make("svg", {
    viewBox: `${-margin} ${-margin} ${columns * size + 2 * margin} ${rows * size + 2 * margin}`,
    role: "img",
    class: "board",
  });
  const frameClass = { discs: "frame-discs", othello: "frame-felt", marks: "frame-plain", pieces: "frame-plain" }[kind];
  const plain = kind === "marks" || kind === "pieces";
  const edge = plain ? 0 : 8;
  svg.append(
    make("rect", {
      x: -edge,
      y: -edge,
      width: columns * size + 2 * edge,
      height: rows * size + 2 * edge,
      rx: plain ? 4 : 12,
      class: frameClass,
    }),
  );
  const fromBelow = kind === "discs" || kind === "pieces";
  for (let column = 0; column < columns; column++)
    svg.append(
      make(
        "text",
        { x: (column + 0.5) * size, y: rows * size + edge + 15, class: "coordinate" },
        String.fromCharCode(97 + column),
      ),
    );
  for (let row = 0; row < rows; row++)
    svg.append(
      make(
        "text",
        { x: -edge - 14, y: (row + 0.5) * size + 2, class: "coordinate" },
        String(fromBelow ? rows - row : row + 1),
      ),
    );
  for (let line = 1; line < Math.max(rows, columns) && kind !== "discs"; line++) {
    if (line < columns)
      svg.append(make("line", { x1: line * size, x2: line * size, y1: 0, y2: rows * size, class: "rule" }));
    if (line < rows)
      svg.append(make("line", { y1: line * size, y2: line * size, x1: 0, x2: columns * size, class: "rule" }));
  }
  for (let cell = 0; cell < rows * columns; cell++) {
    const x = ((cell % columns) + 0.5) * size;
    const y = (Math.floor(cell / columns) + 0.5) * size;
    const owner = Number(frame.board[cell]);
    const last = frame.changed.includes(cell);
    const decisive = frame.decisive.includes(cell);
    if (kind === "discs" && owner === 0) svg.append(make("circle", { cx: x, cy: y, r: size * 0.4, class: "hole" }));
    // Where a piece came from is worth as much as where it went.
    if (kind === "pieces" && last)
      svg.append(make("rect", { x: x - size / 2, y: y - size / 2, width: size, height: size, class: "lit" }));
    if (owner === 0) continue;
    const colour = colours[owner - 1]!;
    if (kind === "marks") {
      if (decisive)
        svg.append(make("rect", { x: x - size / 2, y: y - size / 2, width: size, height: size, class: "lit" }));
      const reach = size * 0.26;
      const stroke = { stroke: colour, "stroke-width": 7, "stroke-linecap": "round", fill: "none" };
      if (owner === 1)
        svg.append(
          make("path", {
            d: `M${x - reach} ${y - reach}L${x + reach} ${y + reach}M${x + reach} ${y - reach}L${x - reach} ${y + reach}`,
            ...stroke,
          }),
        );
      else svg.append(make("circle", { cx: x, cy: y, r: reach, ...stroke }));
      if (last && !decisive)
        svg.append(make("circle", { cx: x + size * 0.38, cy: y - size * 0.38, r: 3.5, fill: colour }));
      continue;
    }
    svg.append(make("circle", { cx: x, cy: y, r: size * 0.4, fill: colour, class: "stone" }));
    if (decisive) svg.append(make("circle", { cx: x, cy: y, r: size * 0.4, class: "decisive" }));
    if (last && kind !== "pieces")
      svg.append(make("circle", { cx: x, cy: y, r: size * 0.11, class: kind === "othello" ? "last felt" : "last" }));
  }
  return svg;
}
