/** One setting: its type as a zod schema, how its value is read from text, its default, and what it is for. */
import { z } from "zod";

export interface Setting<T> {
  readonly setting: true;
  readonly schema: z.ZodType<T>;
  readonly fallback: T;
  readonly about: string;
  /** What stands behind the flag in help. */
  readonly placeholder: string;
  /** Masked where it is shown. */
  readonly secret: boolean;
  /** Made absolute: against the working folder, or the folder of the file that gives it. */
  readonly path: boolean;
  /** From a flag or the environment, where everything is text. Gives the text itself if it cannot be read. */
  read(text: string): unknown;
}

type Extra = { readonly secret?: boolean; readonly path?: boolean; readonly placeholder?: string };

function setting<T>(
  schema: z.ZodType<T>,
  fallback: T,
  about: string,
  read: (text: string) => unknown,
  placeholder: string,
  extra: Extra = {},
): Setting<T> {
  const { secret = false, path = false } = extra;
  return { setting: true, schema, fallback, about, read, placeholder: extra.placeholder ?? placeholder, secret, path };
}

export const text = (fallback: string, about: string, extra: Extra = {}): Setting<string> =>
  setting(z.string().max(4096), fallback, about, (value) => value, "text", extra);

/** A folder or a file. */
export const path = (fallback: string, about: string): Setting<string> =>
  text(fallback, about, { path: true, placeholder: "path" });

/** A URL with one of these schemes, or nothing. */
export function url(schemes: readonly string[], fallback: string, about: string, extra: Extra = {}): Setting<string> {
  const schema = z
    .string()
    .max(4096)
    .refine(
      (value) => value === "" || schemes.some((scheme) => value.startsWith(`${scheme}://`) && URL.canParse(value)),
      {
        error: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
      },
    );
  return setting(schema, fallback, about, (value) => value, "url", extra);
}

const readNumber = (value: string): unknown => (/^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value);

/** A whole number from `least` to `most`. */
export const count = (fallback: number, least: number, most: number, about: string): Setting<number> =>
  setting(z.int().min(least).max(most), fallback, about, readNumber, "number");

export const port = (fallback: number, about: string): Setting<number> =>
  count(fallback, 0, 65_535, `${about}; 0 takes a free one`);

const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

function readBytes(value: unknown): unknown {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(String(value).trim());
  return match === null ? value : Math.round(Number(match[1]) * (UNITS[(match[2] ?? "").toLowerCase()] ?? 1));
}

/** Bytes: a whole number, or text as `64MiB`, `512m`, `2 GB` (all of them powers of 1024). */
export const bytes = (fallback: number, least: number, about: string): Setting<number> =>
  setting(
    z.preprocess(
      readBytes,
      z.int({ error: "must be a number of bytes, as 1048576 or 1MiB" }).min(least),
    ) as z.ZodType<number>,
    fallback,
    about,
    (value) => value,
    "bytes",
  );

/** true or false; from text also yes, no, on, off, 1, 0. */
export function flag(fallback: boolean, about: string): Setting<boolean> {
  const words: Readonly<Record<string, boolean>> = {
    true: true,
    yes: true,
    on: true,
    "1": true,
    false: false,
    no: false,
    off: false,
    "0": false,
  };
  return setting(z.boolean(), fallback, about, (value) => words[value.toLowerCase()] ?? value, "true|false");
}

export const choice = <const T extends string>(
  words: readonly [T, ...T[]],
  fallback: NoInfer<T>,
  about: string,
): Setting<T> =>
  setting<T>(z.enum(words) as unknown as z.ZodType<T>, fallback, about, (value) => value, words.join("|"));

/** Several; from text, commas between them. */
export const list = (about: string, extra: Extra = {}): Setting<readonly string[]> =>
  setting(
    z.array(z.string().min(1).max(4096)).max(256).readonly(),
    [],
    about,
    (value) =>
      value
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    "a,b,…",
    extra,
  );
