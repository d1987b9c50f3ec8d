/** What is kept of a case beside its grade: files, where a folder was named, and an excerpt of the agent's log. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { MatchResult } from "../result.ts";
import { cleanText } from "../seat-fault.ts";

export class CaseFiles {
  readonly #dir: string | undefined;
  readonly unwritten: MatchResult["unwritten"][number][] = [];

  /** `dir`: undefined, and nothing is written. */
  constructor(dir: string | undefined) {
    this.#dir = dir;
  }

  path(name: string): string | undefined {
    return this.#dir === undefined ? undefined : join(this.#dir, name);
  }

  /** The file's path; null where it was not to be written, or could not be. */
  async write(name: string, content: string | Buffer): Promise<string | null> {
    const file = this.path(name);
    if (file === undefined) return null;
    try {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      return file;
    } catch (error) {
      this.unwritten.push({ file, error: error instanceof Error ? error.message : String(error) });
      return null;
    }
  }
}

/** Characters of everything said in a grade, over all of its cases: a grade is kept, and sent, as one document. */
const MOST_SAID = 400_000;
const MOST_LOG = 8192;

/** What one case of so many may say. */
export function share(cases: number): number {
  return Math.floor(MOST_SAID / cases);
}

/** The text, cut to so many characters. */
export function cut(text: string | null, most: number): string | null {
  return text === null || text.length <= most ? text : `${text.slice(0, most)}… (cut)`;
}

/** A log's first and last bytes as text: how it began, and what was said before it failed. null of nothing. */
export function excerpt(log: Buffer, most: number): string | null {
  const size = Math.min(MOST_LOG, most);
  if (log.length === 0) return null;
  if (log.length <= size) return cleanText(log.toString("utf8"));
  const head = Math.floor(size / 4);
  const [first, last] = [log.subarray(0, head).toString("utf8"), log.subarray(head - size).toString("utf8")];
  return cleanText(`${first}\n[${log.length - size} bytes are left out here]\n${last}`);
}
