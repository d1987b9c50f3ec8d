import type { Make, PageElement } from "./dom.ts";
import type { Frame, View } from "./page-data.ts";

/** Runs in the page, by itself: it must not use anything but its arguments. */
export function paintPong(
  make: Make,
  view: View & { kind: "pong" },
  frame: Frame,
  colours: readonly string[],
): PageElement {
  const scale = 560 / view.width;
  const width = view.width * scale;
  const height = view.height * scale * 0.62;
  const tall = height / view.height;
  const [x, y, vx, vy, left, right, leftScore, rightScore] = frame.board as readonly number[];
  const svg = make("svg", { viewBox: `-14 -14 ${width + 28} ${height + 28}`, role: "img", class: "board wide" });
  svg.append(make("rect", { x: 0, y: 0, width, height, rx: 8, class: "field" }));
  svg.append(make("line", { x1: width / 2, x2: width / 2, y1: 6, y2: height - 6, class: "net" }));
  svg.append(make("text", { x: width / 2 - 44, y: 46, class: "score" }, String(leftScore)));
  svg.append(make("text", { x: width / 2 + 44, y: 46, class: "score" }, String(rightScore)));
  for (const [seat, middle] of [left!, right!].entries())
    svg.append(
      make("rect", {
        x: (seat === 0 ? view.face : view.width - view.face) * scale - (seat === 0 ? 9 : 0),
        y: (middle - view.paddle / 2) * tall,
        width: 9,
        height: view.paddle * tall,
        rx: 4,
        fill: colours[seat]!,
      }),
    );
  const ball = { cx: x! * scale, cy: y! * tall };
  const trail = { x2: ball.cx - vx! * scale * 3, y2: ball.cy - vy! * tall * 3 };
  svg.append(make("line", { x1: ball.cx, y1: ball.cy, ...trail, class: "trail" }));
  svg.append(make("circle", { ...ball, r: Math.max(4, view.radius * scale * 0.6), class: "ball" }));
  return svg;
}
