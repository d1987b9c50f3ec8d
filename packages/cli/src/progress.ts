/**
 * Progress of long work, on standard error, with the time it has taken. On a terminal one line that is rewritten; elsewhere
 * (a CI's log, a dumb terminal) a plain line now and then. Nothing at all if the work is over before anyone would have
 * asked. A timer draws, so that work that says nothing for long is seen to go on; it keeps no process alive.
 */
import type { Terminal } from "./terminal.ts";

const FIRST_MS = 400;
const REDRAW_EVERY_MS = 100;
const PLAIN_EVERY_MS = 15_000;
const CLEAR = "\r\u001b[2K";

export interface Progress {
  /** What is being done now, without the time; a function is asked whenever it is drawn. */
  update(text: string | (() => string)): void;
  /** Writes a line that stays. */
  note(text: string): void;
  /** Takes the line away. */
  end(): void;
}

export function startProgress(terminal: Terminal, first: string | (() => string) = ""): Progress {
  const { stderr, environment } = terminal;
  const live = stderr.isTTY === true && environment.TERM !== "dumb";
  const began = performance.now();
  let current = first;
  let drawn = "";
  const clear = (): void => {
    if (live && drawn !== "") stderr.write(CLEAR);
    drawn = "";
  };
  const draw = (): void => {
    const ms = performance.now() - began;
    const text = typeof current === "string" ? current : current();
    if (text === "" || (live && ms < FIRST_MS)) return;
    const time = ` (${elapsed(ms)})`;
    if (!live) {
      stderr.write(`${text}${time}\n`);
      return;
    }
    const line = text.slice(0, Math.max(0, (stderr.columns || 80) - 1 - time.length)) + time;
    if (line !== drawn) stderr.write(CLEAR + line);
    drawn = line;
  };
  const timer = setInterval(draw, live ? REDRAW_EVERY_MS : PLAIN_EVERY_MS);
  timer.unref();
  return {
    update(text) {
      current = text;
    },
    note(text) {
      clear();
      stderr.write(`${text}\n`);
    },
    end() {
      clearInterval(timer);
      clear();
    },
  };
}

function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
