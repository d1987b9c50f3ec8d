/**
 * One setting, as plain data: what kind of value it has, its default, and what it is for. The command line's help is
 * made of these at every start, so nothing is imported here; schema.ts makes the checks of them.
 */

export type Kind =
  | { readonly kind: "text" }
  | { readonly kind: "url"; readonly schemes: readonly string[] }
  | { readonly kind: "count"; readonly least: number; readonly most: number }
  | { readonly kind: "bytes"; readonly least: number }
  | { readonly kind: "flag" }
  | { readonly kind: "choice"; readonly words: readonly string[] }
  | { readonly kind: "list" };

export interface Setting<T> {
  readonly type: Kind;
  readonly fallback: T;
  readonly about: string;
  /** What stands behind the flag in help. */
  readonly placeholder: string;
  /** Masked where it is shown. */
  readonly secret: boolean;
  /** Made absolute: against the working folder, or the folder of the file that gives it. */
  readonly path: boolean;
}

interface Extra {
  readonly secret?: boolean;
  readonly path?: boolean;
  readonly placeholder?: string;
}

function setting<T>(type: Kind, fallback: T, about: string, placeholder: string, extra: Extra = {}): Setting<T> {
  return { type, fallback, about, placeholder, secret: false, path: false, ...extra };
}

export const text = (fallback: string, about: string, extra: Extra = {}): Setting<string> =>
  setting({ kind: "text" }, fallback, about, "text", extra);

/** A folder or a file. */
export const path = (fallback: string, about: string): Setting<string> =>
  text(fallback, about, { path: true, placeholder: "path" });

/** A URL with one of these schemes, or nothing. */
export const url = (schemes: readonly string[], fallback: string, about: string, extra: Extra = {}): Setting<string> =>
  setting({ kind: "url", schemes }, fallback, about, "url", extra);

/** A whole number from `least` to `most`. */
export const count = (fallback: number, least: number, most: number, about: string): Setting<number> =>
  setting({ kind: "count", least, most }, fallback, about, "number");

export const port = (fallback: number, about: string): Setting<number> =>
  count(fallback, 0, 65_535, `${about}; 0 takes a free one`);

/** Bytes: a whole number, or text as `64MiB`, `512m`, `2 GB` (all of them powers of 1024). */
export const bytes = (fallback: number, least: number, about: string): Setting<number> =>
  setting({ kind: "bytes", least }, fallback, about, "bytes");

/** true or false; from text also yes, no, on, off, 1, 0. */
export const flag = (fallback: boolean, about: string): Setting<boolean> =>
  setting({ kind: "flag" }, fallback, about, "true|false");

export const choice = <const T extends string>(words: readonly T[], fallback: NoInfer<T>, about: string): Setting<T> =>
  setting<T>({ kind: "choice", words }, fallback, about, words.join("|"));

/** Several; from text, commas between them. */
export const list = (about: string, extra: Extra = {}): Setting<readonly string[]> =>
  setting<readonly string[]>({ kind: "list" }, [], about, "a,b,…", extra);
