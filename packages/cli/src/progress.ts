/**
 * Progress of long work, on standard error. On a terminal one line that is rewritten; elsewhere (a CI's log) a plain
 * line now and then. Nothing at all if the work is over before anyone would have asked.
 */
import type { Terminal } from "./terminal.ts";

const FIRST_MS = 400;
const PLAIN_EVERY_MS = 15_000;
const REDRAW_EVERY_MS = 80;

export interface Progress {
  update(text: string): void;
  /** Takes the line away. */
  end(): void;
}

export function startProgress(terminal: Terminal, now: () => number = () => performance.now()): Progress {
  const live = terminal.stderr.isTTY === true;
  const started = now();
  let drawn = live ? started + FIRST_MS - REDRAW_EVERY_MS : started;
  let shown = false;
  return {
    update(text) {
      if (now() - drawn < (live ? REDRAW_EVERY_MS : PLAIN_EVERY_MS)) return;
      drawn = now();
      shown = true;
      if (live) terminal.stderr.write(`\r\u001b[2K${text.slice(0, (terminal.stderr.columns || 80) - 1)}`);
      else terminal.stderr.write(`${text}\n`);
    },
    end() {
      if (live && shown) terminal.stderr.write("\r\u001b[2K");
      shown = false;
    },
  };
}
