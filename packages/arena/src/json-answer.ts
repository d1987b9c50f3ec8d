/** One line from an agent, made into a message or refused. Whatever is not exactly one of the messages is refused. */
import { MAX_REPLAY_NUMBERS } from "@lanista/games/replay-limits";
import type { Action } from "./episodes/spaces.ts";
import { hasExactly, isId, parseJsonLine } from "./json-line.ts";
import { MAX_LINE } from "./line-reader.ts";

export type AgentMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "action"; readonly id: number; readonly action: Action }
  /** To a question that asks for more than an action: see Dialect. */
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number | null; readonly text: string }
  | { readonly kind: "refused"; readonly why: string };

/** What may be answered: which lines, and how long they may be. */
export interface Dialect {
  readonly parse: (line: Uint8Array) => AgentMessage;
  /** Bytes of a line without its newline. */
  readonly maxLine: number;
}

/** The agent protocol of matches, where an action is one number, or a list of numbers. */
export const ACTIONS: Dialect = { parse: (line) => parseAgentLine(line), maxLine: MAX_LINE };
export const LISTS: Dialect = { parse: (line) => parseAgentLine(line, true), maxLine: MAX_LINE };

const MAX_DEPTH = 4;

function refused(why: string): AgentMessage {
  return { kind: "refused", why };
}

/** An action's numbers go up to 2^53 in size. */
const isValue = (value: unknown): value is number => typeof value === "number" && Math.abs(value) <= 2 ** 53;

/**
 * `line`: bytes without the newline. `lists`: an action is a list of numbers, and not one number. An action's numbers are any
 * finite ones up to 2^53 in size: legality is judged elsewhere.
 */
export function parseAgentLine(line: Uint8Array, lists = false): AgentMessage {
  const parsed = parseJsonLine(line, MAX_DEPTH);
  if (parsed.kind === "refused") return parsed;
  const message = parsed.value;
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
  return parseCommon(message);
}

/** The messages that every dialect has: that it is ready, that it cannot answer. */
export function parseCommon(message: Readonly<Record<string, unknown>>): AgentMessage {
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
