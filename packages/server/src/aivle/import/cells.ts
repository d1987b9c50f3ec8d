/** How cells of the CSV files are written. A cell that is empty says nothing. */
import { z } from "zod";

const LEAST_TIME = Date.UTC(1980, 0, 1);
const MOST_TIME = Date.UTC(9999, 0, 1);

export const idCell = z
  .string()
  .regex(/^\d{1,15}$/, "must be the site's id, a number")
  .transform(Number);

export const intCell = (otherwise: number) =>
  z
    .string()
    .regex(/^(-?\d{1,9})?$/, "must be a whole number")
    .transform((text) => (text === "" ? otherwise : Number(text)))
    .default(otherwise);

export const pointCell = z
  .string()
  .regex(/^(-?\d{1,9}(\.\d{1,9})?)?$/, "must be a number such as 12.5, or empty")
  .transform((text) => (text === "" ? null : Number(text)));

/** As Django and its databases write them; without a zone it is UTC, as they keep it. */
const TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?\s?(Z|[+-]\d{2}(?::?\d{2})?)?$/;

/** null where it is none. */
export function readTime(text: string): Date | null {
  const [, day, clock, fraction = "0", zone = "Z"] = TIME.exec(text) ?? [];
  if (day === undefined) return null;
  const offset = /^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d{2})(\d{2})$/, "$1:$2");
  const seconds = clock!.length === 5 ? `${clock}:00` : clock;
  const at = new Date(`${day}T${seconds}.${fraction.slice(0, 3).padEnd(3, "0")}${offset}`);
  // new Date takes the 31st of February for a day of March.
  const real = !Number.isNaN(at.getTime()) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
  return real && at.getTime() >= LEAST_TIME && at.getTime() < MOST_TIME ? at : null;
}

const SAYS = "must be a time such as 2026-05-01T18:00:00Z";
export const momentCell = z.string().transform((text, context): Date => {
  const at = readTime(text);
  if (at !== null) return at;
  context.addIssue({ code: "custom", message: SAYS });
  return z.NEVER;
});

export const timeCell = z
  .union([z.literal("").transform(() => null), momentCell], { error: `${SAYS}, or empty` })
  .default(null);

export const flagCell = z
  .string()
  .regex(/^(true|false|t|f|1|0|)$/i, "must be true or false")
  .transform((text) => /^(true|t|1)$/i.test(text));

/** In texts that people read on one line: what turns the direction of text, or ends the line, passes for what it is not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
export const PRINTABLE = /^[^\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$/;

export const lineCell = (least: number, most: number) =>
  z
    .string()
    .regex(PRINTABLE, "must be one line of printable characters")
    .min(least, "must not be empty")
    .max(most, `must have at most ${most} characters`);

export const textCell = (most: number) => z.string().max(most, `must have at most ${most} characters`).default("");

/** Below the folder, as it is: no way out by its name; links are looked at when it is read. */
export const pathCell = z
  .string()
  .max(1000, "must have at most 1000 characters")
  .refine(
    (path) => !path.includes("\u0000") && !path.startsWith("/") && !path.split(/[\\/]/).includes(".."),
    "must be a path within the folder",
  );
