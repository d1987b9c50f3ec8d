/**
 * Text from outside made fit for PostgreSQL: jsonb takes neither NUL nor half of a character, and an agent that may choose
 * a word of its own fault's description must not be able to have the report of its loss refused. Lengths stay the same.
 */

export const storableText = (text: string): string => text.replaceAll("\0", "\uFFFD").toWellFormed();

/** JSON with all its texts, keys included, made storable. Throws a SyntaxError on what is no JSON. */
export function parseStorable(json: string): unknown {
  return JSON.parse(json, (_key, value: unknown) => {
    if (typeof value === "string") return storableText(value);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    if (Object.keys(value).every((key) => storableText(key) === key)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [storableText(key), one]));
  });
}
