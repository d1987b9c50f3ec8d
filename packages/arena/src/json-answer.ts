/** One line from an agent, made into a message or refused. Whatever is not exactly one of the messages is refused. */
import { MAX_REPLAY_DEPTH } from "@lanista/games/replay-limits";
import { formAction } from "./episodes/action-form.ts";
import type { Action, Space } from "./episodes/spaces.ts";
import { hasExactly, isId, parseJsonLine } from "./json-line.ts";
import { MAX_LINE } from "./line-reader.ts";
import { cleanDetail } from "./seat-fault.ts";

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

/** Of the answer's object and a flat list, with something to spare; a Tuple or Dict has more. */
const MAX_DEPTH = 4;

/** The agent protocol of matches, where an answer is an action of the form that its space asks for. */
export function actionDialect(space: Space): Dialect {
  return { parse: (line) => parseAgentLine(line, space), maxLine: MAX_LINE };
}

function refused(why: string): AgentMessage {
  return { kind: "refused", why };
}

/** `line`: bytes without the newline. Legality is judged elsewhere: what is refused here has not the form of its space. */
export function parseAgentLine(line: Uint8Array, space: Space): AgentMessage {
  const parts = space.type === "Tuple" || space.type === "Dict";
  const parsed = parseJsonLine(line, parts ? MAX_DEPTH + MAX_REPLAY_DEPTH : MAX_DEPTH);
  if (parsed.kind === "refused") return parsed;
  const message = parsed.value;
  if (hasExactly(message, "id", "action")) {
    const { id, action } = message;
    if (!isId(id)) return refused("an answer whose id is not a 32-bit integer");
    const formed = formAction(space, action);
    if ("why" in formed) return refused(`an answer whose action ${cleanDetail(formed.why)}`);
    return { kind: "action", id, action: formed.action };
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
