/** What a setting's value must be (zod), and how it is read where everything is text. */
import { z } from "zod";
import type { Setting } from "./setting.ts";

const LONGEST = 4096;
const MOST_LISTED = 256;
const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...["true", "yes", "on", "1"].map((word) => [word, true] as const),
  ...["false", "no", "off", "0"].map((word) => [word, false] as const),
]);

export function schemaOf({ type }: Setting<unknown>): z.ZodType {
  switch (type.kind) {
    case "text":
      return z.string().max(LONGEST);
    case "url": {
      const begins = type.schemes.map((scheme) => `${scheme}://`);
      return z
        .string()
        .max(LONGEST)
        .refine((value) => value === "" || (begins.some((one) => value.startsWith(one)) && URL.canParse(value)), {
          error: `must be a URL that begins with ${begins.join(" or ")}`,
        });
    }
    case "count":
      return z.int().min(type.least).max(type.most);
    case "bytes": {
      const error = `must be a number of bytes, as 1048576 or 1MiB, and at least ${type.least}`;
      return z.preprocess(readBytes, z.int({ error }).min(type.least, { error }));
    }
    case "flag":
      return z.boolean();
    case "choice":
      return z.enum(type.words as [string, ...string[]]);
    case "list":
      return z.array(z.string().min(1).max(LONGEST)).max(MOST_LISTED);
  }
}

/** Gives the text itself if it cannot be read: the schema then says what it must be. */
export function readText({ type }: Setting<unknown>, text: string): unknown {
  if (type.kind === "count") return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
  if (type.kind === "flag") return WORDS.get(text.trim().toLowerCase()) ?? text;
  if (type.kind === "list") return text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  return text;
}

function readBytes(value: unknown): unknown {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(String(value).trim());
  return match === null ? value : Math.round(Number(match[1]) * (UNITS[(match[2] ?? "").toLowerCase()] ?? 1));
}
