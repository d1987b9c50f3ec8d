import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startProgress } from "./progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CLEAR = "\r\u001b[2K";

/** A terminal whose standard error is kept. */
function listen(stderr: { isTTY?: boolean; columns?: number }, environment: Record<string, string> = {}) {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  return {
    terminal: { stdin: Readable.from([]), stdout: { write: () => {} }, stderr: { ...stderr, write }, environment },
    written,
  };
}

test("a terminal's line shows the time that passes, though nothing is told, and goes at the end", () => {
  const { terminal, written } = listen({ isTTY: true });
  const progress = startProgress(terminal, "Playing…");
  vi.advanceTimersByTime(300);
  expect(written).toEqual([]);
  vi.advanceTimersByTime(2700);
  expect(written).toEqual([0, 1, 2, 3].map((s) => `${CLEAR}Playing… (${s} s)`));
  progress.end();
  expect(written.at(-1)).toBe(CLEAR);
  expect(vi.getTimerCount()).toBe(0);
});

test("what is new is drawn soon, what is told stays, and no line is longer than the terminal is wide", () => {
  const { terminal, written } = listen({ isTTY: true, columns: 20 });
  let steps = 0;
  const progress = startProgress(terminal, () => `step ${steps}`);
  vi.advanceTimersByTime(1000);
  steps = 7;
  vi.advanceTimersByTime(200);
  expect(written.at(-1)).toBe(`${CLEAR}step 7 (1 s)`);
  progress.note("Once more");
  expect(written.slice(-2)).toEqual([CLEAR, "Once more\n"]);
  progress.update("x".repeat(50));
  vi.advanceTimersByTime(200);
  expect(written.at(-1)).toBe(`${CLEAR}${"x".repeat(13)} (1 s)`);
  progress.end();
});

test("work that is over at once shows nothing", () => {
  for (const isTTY of [true, false]) {
    const { terminal, written } = listen({ isTTY });
    const progress = startProgress(terminal, "Playing…");
    vi.advanceTimersByTime(200);
    progress.end();
    vi.advanceTimersByTime(60_000);
    expect(written).toEqual([]);
  }
});

test.each([
  ["no terminal", {}, {}],
  ["a dumb terminal", { isTTY: true }, { TERM: "dumb" }],
] as const)("%s gets a plain line every quarter of a minute", (_what, stderr, environment) => {
  const { terminal, written } = listen(stderr, environment);
  const progress = startProgress(terminal, "Playing…");
  vi.advanceTimersByTime(14_999);
  expect(written).toEqual([]);
  vi.advanceTimersByTime(16_000);
  progress.update("2 of 3");
  vi.advanceTimersByTime(120_000);
  progress.end();
  expect(written.slice(0, 3)).toEqual(["Playing… (15 s)\n", "Playing… (30 s)\n", "2 of 3 (45 s)\n"]);
  expect(written.at(-1)).toBe("2 of 3 (2 min 30 s)\n");
  expect(written).toHaveLength(10);
});

test("NO_COLOR takes colours away, of which there are none: the line is rewritten all the same", () => {
  const { terminal, written } = listen({ isTTY: true }, { NO_COLOR: "1" });
  const progress = startProgress(terminal, "Playing…");
  vi.advanceTimersByTime(500);
  progress.end();
  expect(written).toEqual([`${CLEAR}Playing… (0 s)`, CLEAR]);
});

test("it keeps no process alive", () => {
  vi.useRealTimers();
  const started = vi.spyOn(globalThis, "setInterval");
  const progress = startProgress(listen({}).terminal, "Playing…");
  expect(started.mock.results[0]!.value.hasRef()).toBe(false);
  progress.end();
  started.mockRestore();
});
