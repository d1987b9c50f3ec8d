/** What may be said in a task that asks questions: an agent's answers, a judge's questions and its verdict. */
import { type AgentMessage, type Dialect, parseCommon } from "../../json-answer.ts";
import { hasExactly, isId, parseJsonLine } from "../../json-line.ts";
import { type JudgeVerdict, verdictFrom } from "./verdict.ts";

/** Bytes of an answer, or of a judge's question. */
export const MAX_ANSWER = 4 * 1024 * 1024;
const MAX_DEPTH = 32;

/** What a judge says when it is to move. */
export type JudgeMove =
  | { readonly kind: "ask"; readonly question: unknown }
  | { readonly kind: "verdict"; readonly verdict: JudgeVerdict };

function refused(why: string): AgentMessage {
  return { kind: "refused", why };
}

/** Whether all numbers in it are such: a number that is too large for a double is read as infinite, and would be written as null. */
function hasFiniteNumbers(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(hasFiniteNumbers);
}

/** `{"id":…,"answer":…}`, where the answer is any JSON. */
export const ANSWERS: Dialect = {
  maxLine: MAX_ANSWER,
  parse(line) {
    const parsed = parseJsonLine(line, MAX_DEPTH);
    if (parsed.kind === "refused") return parsed;
    const { value: message } = parsed;
    if (!hasExactly(message, "id", "answer")) return parseCommon(message);
    const { id, answer } = message;
    if (!isId(id)) return refused("an answer whose id is not a 32-bit integer");
    if (!hasFiniteNumbers(answer)) return refused("an answer with a number that no double holds");
    return { kind: "answer", id, value: answer };
  },
};

/** `{"id":…,"ask":…}` or `{"id":…,"verdict":…}`; the value is a JudgeMove. */
export const JUDGEMENTS: Dialect = {
  maxLine: MAX_ANSWER,
  parse(line) {
    const parsed = parseJsonLine(line, MAX_DEPTH);
    if (parsed.kind === "refused") return parsed;
    const { value: message } = parsed;
    const key = hasExactly(message, "id", "ask") ? "ask" : hasExactly(message, "id", "verdict") ? "verdict" : undefined;
    if (key === undefined) return parseCommon(message);
    const { id, ask, verdict } = message;
    if (!isId(id)) return refused("a turn whose id is not a 32-bit integer");
    if (key === "ask")
      return hasFiniteNumbers(ask)
        ? { kind: "answer", id, value: { kind: "ask", question: ask } satisfies JudgeMove }
        : refused("a question with a number that no double holds");
    const read = verdictFrom(verdict);
    return typeof read === "string"
      ? refused(`a verdict that is none: ${read}`)
      : { kind: "answer", id, value: { kind: "verdict", verdict: read } satisfies JudgeMove };
  },
};
