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

const HEAD = 2048;
const TAIL = 6144;

/** Its first and last bytes as text: how it began, and what was said before it failed. null of nothing. */
export function excerpt(log: Buffer): string | null {
  if (log.length === 0) return null;
  if (log.length <= HEAD + TAIL) return cleanText(log.toString("utf8"));
  const left = log.length - HEAD - TAIL;
  const [head, tail] = [log.subarray(0, HEAD).toString("utf8"), log.subarray(-TAIL).toString("utf8")];
  return cleanText(`${head}\n[${left} bytes are left out here]\n${tail}`);
}
