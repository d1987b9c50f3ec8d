/** Pages of a list, by the key of the last row seen: no page is slower than the first, and none skips or repeats a row. */

import { LanistaError } from "@lanista/api/errors";
import type { Page } from "@lanista/api/gen/lanista/v1/common_pb";

const DEFAULT_SIZE = 50;

export interface PageWanted {
  /** Rows at most. Ask the database for one more, to know whether there are further ones. */
  readonly size: number;
  /** The key of the last row of the page before; null for the first page. */
  readonly after: readonly (string | number)[] | null;
}

/** `keys`: how many columns the list is ordered by. Throws LanistaError `invalid` on a token that is not ours. */
export function pageWanted(page: Page | undefined, keys: number): PageWanted {
  const size = page === undefined || page.size === 0 ? DEFAULT_SIZE : page.size;
  if (page === undefined || page.token === "") return { size, after: null };
  let after: unknown;
  try {
    after = JSON.parse(Buffer.from(page.token, "base64url").toString("utf8"));
  } catch {
    after = undefined;
  }
  const good =
    Array.isArray(after) &&
    after.length === keys &&
    after.every((key) => (typeof key === "string" && !key.includes("\0")) || Number.isFinite(key));
  if (!good)
    throw new LanistaError("invalid", "the page token is none that this list gave", {
      field: "page.token",
      hint: "Pass on next_page_token as it came.",
    });
  return { size, after: after as (string | number)[] };
}

/** Cuts what the database gave to the page, and makes the next page's token, empty at the end of the list. */
export function pageOf<Row>(
  rows: readonly Row[],
  wanted: PageWanted,
  key: (row: Row) => readonly (string | number)[],
): { rows: readonly Row[]; nextPageToken: string } {
  if (rows.length <= wanted.size) return { rows, nextPageToken: "" };
  const shown = rows.slice(0, wanted.size);
  return { rows: shown, nextPageToken: Buffer.from(JSON.stringify(key(shown.at(-1)!))).toString("base64url") };
}
