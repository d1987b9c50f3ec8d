/**
 * The protocol's two ends, for the programs here that speak it: lines in from descriptor 3, lines out to descriptor 4.
 */
import { readSync, writeSync } from "node:fs";

const QUESTIONS = 3;
const ANSWERS = 4;
const ERROR_CHARS = 4000; // of an error's text in an answer; the log gets more
const LOG_CHARS = 16_000;

let buffer = Buffer.allocUnsafe(1 << 16);
let from = 0;
let to = 0;

/** The next line without its end; undefined at the end of the input. */
export function readLine() {
  let scanned = from;
  for (;;) {
    const end = buffer.subarray(0, to).indexOf(10, scanned);
    if (end >= 0) {
      const line = buffer.utf8Slice(from, end);
      from = end + 1;
      return line;
    }
    buffer.copy(buffer, 0, from, to);
    to -= from;
    from = 0;
    scanned = to;
    if (to === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
    const size = readSome();
    if (size === 0) return undefined;
    to += size;
  }
}

function readSome() {
  for (;;) {
    try {
      return readSync(QUESTIONS, buffer, to, buffer.length - to, null);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      pause(); // someone made the pipe non-blocking
    }
  }
}

export function send(text) {
  let data = Buffer.from(text);
  while (data.length > 0) {
    try {
      data = data.subarray(writeSync(ANSWERS, data));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      pause();
    }
  }
}

function pause() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

/** Keeps both ends: the first line names the error, the last frames say where it began. */
export function shorten(text, limit) {
  if (text.length <= limit) return text;
  const half = limit / 2;
  return `${text.slice(0, half)}\n... ${text.length - limit} characters left out ...\n${text.slice(-half)}`;
}

export function errorAnswer(id, error) {
  let text = "an error that cannot be described";
  try {
    text = error instanceof Error && error.stack ? String(error.stack) : `thrown: ${String(error)}`;
  } catch {
    // an agent's own error class can fail at being described
  }
  console.error(shorten(text, LOG_CHARS));
  return `${JSON.stringify({ id, error: shorten(text, ERROR_CHARS) })}\n`;
}

/** A function of the owner's, bound to it; undefined where it has none of these names. */
export function findMethod(owner, names) {
  for (const name of names) if (typeof owner?.[name] === "function") return owner[name].bind(owner);
  return undefined;
}
