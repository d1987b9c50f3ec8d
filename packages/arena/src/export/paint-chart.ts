import type { Make, PageElement } from "./dom.ts";
import type { Frame } from "./page-data.ts";

/** Each seat's thinking time, a bar a move, one strip a seat. Runs in the page, by itself: it must not use anything but its arguments. */
export function paintChart(
  make: Make,
  frames: readonly Frame[],
  at: number,
  seat: number,
  colour: string,
): PageElement {
  const times = frames.map((frame) => frame.thinkMs[seat] ?? null);
  const most = Math.max(1, ...times.map((ms) => ms ?? 0));
  const width = 600;
  const height = 44;
  const step = width / Math.max(1, frames.length - 1);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", class: "chart" });
  const place = (index: number): number => (index - 1) * step;
  if (at > 0) svg.append(make("rect", { x: place(at), y: 0, width: Math.max(step, 1.5), height, class: "now" }));
  for (const [index, ms] of times.entries()) {
    if (ms === null) continue;
    const tall = Math.max(1, (ms / most) * (height - 4));
    svg.append(
      make("rect", {
        x: place(index) + step * 0.1,
        y: height - tall,
        width: Math.max(step * 0.8, 0.6),
        height: tall,
        fill: colour,
        class: frames[index]!.fault ? "bar bad" : index <= at ? "bar" : "bar later",
      }),
    );
  }
  return svg;
}
