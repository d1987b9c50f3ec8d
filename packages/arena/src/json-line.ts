/** What all lines from boxes have in common: bytes made into JSON, with bounds on what is even parsed. */

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export type JsonLine =
  | { readonly kind: "object"; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: "refused"; readonly why: string };

function refused(why: string): JsonLine {
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

/** `line`: bytes without the newline. */
export function parseJsonLine(line: Uint8Array, maxDepth: number): JsonLine {
  let text: string;
  try {
    text = utf8.decode(line);
  } catch {
    return refused("a line that is not UTF-8");
  }
  if (depth(text) > maxDepth) return refused(`a line nested deeper than ${maxDepth}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused("a line that is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refused("a line that is not an object");
  return { kind: "object", value: value as Record<string, unknown> };
}

export function hasExactly(object: object, ...keys: string[]): boolean {
  const own = Object.keys(object);
  return own.length === keys.length && keys.every((key) => Object.hasOwn(object, key));
}

/** Whether `value` can be a question's id. */
export function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffffffff;
}
