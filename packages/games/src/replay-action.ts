/** An action as a replay holds it: whether a value can be one at all, and whether two are the same. */
import { MAX_REPLAY_DEPTH, MAX_REPLAY_NUMBERS, MAX_REPLAY_TEXT } from "./replay-limits.ts";
import type { ReplayAction } from "./replay-types.ts";

/** Numbers within lists are finite; one that stands alone is an integer. */
export function isAction(value: unknown): value is ReplayAction {
  let numbers = 0;
  let characters = 0;
  const fits = (one: unknown, depth: number): boolean => {
    if (typeof one === "number") return Number.isFinite(one) && ++numbers <= MAX_REPLAY_NUMBERS;
    if (typeof one === "string") {
      characters += one.length;
      return characters <= MAX_REPLAY_TEXT;
    }
    if (!Array.isArray(one) || one.length < 1 || depth >= MAX_REPLAY_DEPTH) return false;
    return one.length <= MAX_REPLAY_NUMBERS && one.every((part) => fits(part, depth + 1));
  };
  return typeof value === "number" ? Number.isSafeInteger(value) : fits(value, 0);
}

export function sameAction(a: ReplayAction, b: ReplayAction): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  return a.length === b.length && a.every((part, i) => sameAction(part, b[i]!));
}
