/** The page's style sheet. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #1f2328; --soft: #656d76; --paper: #f6f7f9; --card: #ffffff; --line: #d8dee4;
  --cell: #eceff3; --accent: #0b6bcb; --bad: #b42318; --lit: #fff1b8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #9aa4af; --paper: #0f1318; --card: #181d24; --line: #2c343e; --cell: #252c35;
    --accent: #6cb2ff; --bad: #ff8a7a; --lit: #4a4217; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 40px; display: grid; gap: 20px; grid-template-columns: minmax(0, 1.75fr) minmax(260px, 1fr); }
header { grid-column: 1 / -1; }
h1 { font-size: 24px; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
#subtitle { color: var(--soft); margin: 4px 0 0; }
#outcome { margin: 10px 0 0; font-size: 17px; font-weight: 600; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 16px; }
#board { display: grid; place-items: center; min-height: 240px; }
svg.board { width: 100%; max-height: min(66vh, 620px); }
pre.board { font: 16px/1.35 ui-monospace, "DejaVu Sans Mono", monospace; overflow: auto; max-width: 100%; margin: 8px; }
#caption { display: flex; gap: 12px; align-items: baseline; min-height: 24px; margin: 8px 2px 10px; overflow-wrap: anywhere; }
.counter { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
.bad { color: var(--bad); }
.controls { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.controls input { flex: 1 1 180px; accent-color: var(--accent); min-width: 120px; }
button, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 9px; padding: 4px 11px; min-height: 34px; cursor: pointer; }
button:hover, select:hover { border-color: var(--accent); }
button:focus-visible, select:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
button { display: inline-grid; place-items: center; } .when-playing, .playing .when-still { display: none; } .playing .when-playing { display: inline; }
button svg { display: block; }
#play { min-width: 48px; background: var(--accent); border-color: var(--accent); color: var(--card); }
#episodes { margin: 0 0 12px; } #episodes select { max-width: 100%; }
#side { display: grid; gap: 14px; align-content: start; }
.seat h2 { font-size: 16px; margin: 0 0 8px; display: flex; align-items: center; gap: 8px; }
.seat bdi { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.seat + .seat { border-top: 1px solid var(--line); margin-top: 14px; padding-top: 14px; }
.note { margin-left: auto; font-weight: 400; color: var(--soft); white-space: nowrap; }
.dot { width: 16px; height: 16px; flex: none; }
.chart { width: 100%; height: 44px; display: block; background: var(--cell); border-radius: 6px; cursor: pointer; }
.times { color: var(--soft); font-size: 13px; margin: 6px 0 0; font-variant-numeric: tabular-nums; }
.later { opacity: 0.35; } .bar.bad { fill: var(--bad); } .now { fill: var(--ink); opacity: 0.16; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 14px; margin: 0; font-size: 13px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.hint { color: var(--soft); font-size: 13px; margin: 12px 2px 0; }
kbd { border: 1px solid var(--line); border-radius: 5px; padding: 0 5px; font: 12px ui-monospace, "DejaVu Sans Mono", monospace; }
.cell { fill: var(--cell); stroke: var(--line); }
.stone { stroke: rgb(0 0 0 / 0.28); stroke-width: 1; }
.decisive { fill: none; stroke: var(--ink); stroke-width: 3; }
.last { fill: #ffffff; opacity: 0.92; } .last.felt { fill: #e5484d; }
.frame-discs ~ .decisive { stroke: #ffffff; stroke-width: 4; }
.hash { font: 11px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; } #result { margin: 0 0 10px; font-weight: 600; }
.coordinate { fill: var(--soft); font-size: 13px; text-anchor: middle; dominant-baseline: middle; }
.frame-discs { fill: #2456b8; } .hole { fill: var(--paper); } .frame-felt { fill: #2f7d4f; } .frame-plain { fill: none; }
.rule { stroke: var(--line); stroke-width: 2; } .frame-felt ~ .rule { stroke: #1f5c39; stroke-width: 1.5; }
.lit { fill: var(--lit); }
.field { fill: var(--cell); stroke: var(--line); } .net { stroke: var(--soft); stroke-dasharray: 7 9; opacity: 0.6; }
.score { fill: var(--soft); font-size: 34px; text-anchor: middle; font-variant-numeric: tabular-nums; }
.ball { fill: var(--ink); } .trail { stroke: var(--ink); stroke-width: 5; stroke-linecap: round; opacity: 0.18; }
@media (max-width: 800px) { main { grid-template-columns: minmax(0, 1fr); padding: 16px 12px; } }
`;
