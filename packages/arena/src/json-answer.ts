/** One line from an agent, made into a message or refused. Whatever is not exactly one of the messages is refused. */
import { MAX_REPLAY_NUMBERS } from "@lanista/games/replay-limits";
import type { Action } from "./episodes/spaces.ts";

export type AgentMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "action"; readonly id: number; readonly action: Action }
  | { readonly kind: "error"; readonly id: number | null; readonly text: string }
  | { readonly kind: "refused"; readonly why: string };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const MAX_DEPTH = 4;

function refused(why: string): AgentMessage {
  return { kind: "refused", why };
}

/** Depth of the deepest bracket outside strings. Counted before parsing, so that no parser's stack is tried. */
export function depth(text: string): number {
  let now = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, ++now);
    else if (c === 0x5d || c === 0x7d) now--;
  }
  return deepest;
}

function hasExactly(object: object, ...keys: string[]): boolean {
  const own = Object.keys(object);
  return own.length === keys.length && keys.every((key) => Object.hasOwn(object, key));
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffffffff;
}

/** An action's numbers go up to 2^53 in size. */
const isValue = (value: unknown): value is number => typeof value === "number" && Math.abs(value) <= 2 ** 53;

/**
 * `line`: bytes without the newline. `lists`: an action is a list of numbers, and not one number. An action's numbers are any
 * finite ones up to 2^53 in size: legality is judged elsewhere.
 */
export function parseAgentLine(line: Uint8Array, lists = false): AgentMessage {
  let text: string;
  try {
    text = utf8.decode(line);
  } catch {
    return refused("a line that is not UTF-8");
  }
  if (depth(text) > MAX_DEPTH) return refused(`a line nested deeper than ${MAX_DEPTH}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused("a line that is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refused("a line that is not an object");
  const message = value as Record<string, unknown>;
  if (hasExactly(message, "id", "action")) {
    const { id, action } = message;
    if (!isId(id)) return refused("an answer whose id is not a 32-bit integer");
    if (lists) {
      if (!Array.isArray(action) || action.length > MAX_REPLAY_NUMBERS || !action.every(isValue))
        return refused(`an answer whose action is not a list of numbers, ${MAX_REPLAY_NUMBERS} at most`);
      return { kind: "action", id, action: action.map((value) => value + 0) };
    }
    if (typeof action !== "number") return refused("an answer whose action is not a number");
    if (!isValue(action)) return refused("an answer whose action is beyond 2^53");
    return { kind: "action", id, action: action + 0 };
  }
  if (hasExactly(message, "id", "error")) {
    const { id, error } = message;
    if (id !== null && !isId(id)) return refused("an error whose id is neither null nor a 32-bit integer");
    if (typeof error !== "string") return refused("an error that is not a text");
    return { kind: "error", id, text: error };
  }
  if (hasExactly(message, "type", "protocol") && message.type === "ready") {
    if (message.protocol !== 1) return refused(`"ready" for a protocol that is not 1`);
    return { kind: "ready" };
  }
  return refused("an object that is none of the agent's messages");
}
