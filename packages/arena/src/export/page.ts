/** The page's markup around its data, style and script. One file, no network: a content security policy says so too. */
import { createHash } from "node:crypto";
import type { PageData } from "./page-data.ts";
import { pageStyle } from "./page-style.ts";
import { paintChart } from "./paint-chart.ts";
import { paintGrid } from "./paint-grid.ts";
import { paintHex } from "./paint-hex.ts";
import { paintPong } from "./paint-pong.ts";
import { viewer } from "./viewer.ts";

/** Drawn, not written: not every machine has a font with the signs of a tape recorder. */
function icon(path: string): string {
  return `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path fill="currentColor" d="${path}"/></svg>`;
}

const ICONS = {
  first: icon("M2 3h2v10H2zM14 3v10L5 8z"),
  back: icon("M12 3v10L4 8z"),
  play: icon("M4 2.5v11L13 8z"),
  pause: icon("M4 3h3v10H4zM9 3h3v10H9z"),
  forward: icon("M4 3v10l8-5z"),
  last: icon("M12 3h2v10h-2zM2 3v10l9-5z"),
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** JSON that ends no script element and starts no comment, whatever it holds. */
function embedded(data: PageData): string {
  return JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function hashed(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** The functions go into the page as they are, so each is complete in itself. */
function script(): string {
  const painters = `{hex:${paintHex},grid:${paintGrid},pong:${paintPong},chart:${paintChart}}`;
  return `(${viewer})(document,JSON.parse(document.getElementById("data").textContent),${painters});`;
}

export function page(data: PageData): string {
  const code = script();
  const policy = `default-src 'none'; script-src ${hashed(code)}; style-src ${hashed(pageStyle)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(data.title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header><h1 id="title"></h1><p id="subtitle"></p><p id="outcome" role="status"></p></header>
<section class="card" aria-label="The game">
<p id="episodes"><select id="episode" aria-label="Episode"></select></p>
<div id="board"></div>
<p id="caption" aria-live="polite"></p>
<div class="controls">
<button id="first" aria-label="To the beginning">${ICONS.first}</button>
<button id="back" aria-label="One move back">${ICONS.back}</button>
<button id="play" aria-label="Play"><span class="when-still">${ICONS.play}</span><span class="when-playing">${ICONS.pause}</span></button>
<button id="forward" aria-label="One move on">${ICONS.forward}</button>
<button id="last" aria-label="To the end">${ICONS.last}</button>
<input id="slider" type="range" min="0" max="0" value="0" aria-label="Move">
<select id="speed" aria-label="Speed"><option value="1200">slow</option><option value="500" selected>normal</option><option value="120">fast</option><option value="30">very fast</option></select>
</div>
<p class="hint"><kbd>←</kbd> <kbd>→</kbd> one move · <kbd>space</kbd> play · <kbd>Home</kbd> <kbd>End</kbd> · <kbd>PgUp</kbd> <kbd>PgDn</kbd> episode</p>
</section>
<aside id="side"><div class="card" id="seats"></div><div class="card"><p id="result"></p><dl id="facts"></dl></div></aside>
</main>
<script type="application/json" id="data">${embedded(data)}</script>
<script>${code}</script>
</body>
</html>
`;
}
