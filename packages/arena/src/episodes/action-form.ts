/**
 * What an agent answers as its action, brought into the form in which actions are recorded, or refused where it does not have the form of
 * its space. Legality is judged elsewhere: here an action only gets its parts. Numbers are finite and up to 2^53 in size.
 */
import { MAX_REPLAY_NUMBERS, MAX_REPLAY_TEXT } from "@lanista/games/replay-limits";
import { hasExactly } from "../json-line.ts";
import type { Action, Space } from "./spaces.ts";

/** `why`: with the place of the part that is none, if it is one of several. */
export type Formed = { readonly action: Action } | { readonly why: string };

const isValue = (value: unknown): value is number => typeof value === "number" && Math.abs(value) <= 2 ** 53;

export function formAction(space: Space, value: unknown): Formed {
  switch (space.type) {
    case "Discrete":
      if (typeof value !== "number") return { why: "is not a number" };
      // -0 and 0 are the same action.
      return isValue(value) ? { action: value + 0 } : { why: "is beyond 2^53" };
    case "Text":
      if (typeof value !== "string" || value.length > MAX_REPLAY_TEXT)
        return { why: `is not a text, of ${MAX_REPLAY_TEXT} characters at most` };
      return { action: value };
    case "Tuple": {
      const { spaces } = space;
      if (!Array.isArray(value) || value.length !== spaces.length)
        return { why: `is not a list of ${spaces.length} parts` };
      return formParts(spaces.map((one, i) => [String(i), one, value[i]]));
    }
    case "Dict": {
      const { spaces } = space;
      const names = spaces.map(([name]) => name);
      if (typeof value !== "object" || value === null || Array.isArray(value) || !hasExactly(value, ...names))
        return { why: `is not an object of exactly ${JSON.stringify(names).slice(1, -1)}` };
      const given = value as Readonly<Record<string, unknown>>;
      return formParts(spaces.map(([name, one]) => [JSON.stringify(name), one, given[name]]));
    }
    default:
      if (!Array.isArray(value) || value.length > MAX_REPLAY_NUMBERS || !value.every(isValue))
        return { why: `is not a list of numbers, ${MAX_REPLAY_NUMBERS} at most` };
      return { action: value.map((one) => one + 0) };
  }
}

function formParts(parts: readonly (readonly [string, Space, unknown])[]): Formed {
  const actions: Action[] = [];
  for (const [name, space, value] of parts) {
    const formed = formAction(space, value);
    if ("why" in formed) return { why: `in its part ${name} ${formed.why}` };
    actions.push(formed.action);
  }
  return { action: actions };
}
