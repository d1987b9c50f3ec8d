/** What can be said of an agent's files without looking into them further than counting lines. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import type { PreparedAgent } from "../agents/types.ts";
import type { Findings } from "./findings.ts";
import type { ValidationPolicy } from "./policy.ts";

const SOURCES = new Set([".py", ".js", ".mjs", ".cjs"]);

/** Relative paths of all its files, sorted, with `/` between folders. */
export async function filesOf(agent: PreparedAgent): Promise<readonly string[]> {
  const entries = await readdir(agent.dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(agent.dir, join(entry.parentPath, entry.name)))
    .sort();
}

export async function checkStructure(
  agent: PreparedAgent,
  files: readonly string[],
  policy: ValidationPolicy,
  findings: Findings,
): Promise<void> {
  findings.ran("structure");
  for (const file of files) {
    const ending = extname(file).toLowerCase();
    const { size } = await stat(join(agent.dir, file));
    if (policy.allowedExtensions !== null && !policy.allowedExtensions.includes(ending)) {
      const allowed = policy.allowedExtensions.map((one) => (one === "" ? "none" : one)).join(", ");
      const what = ending === "" ? "a name without an ending" : ending;
      findings.add("error", {
        check: "structure",
        code: "extension",
        file,
        message: `${what} is not among the endings that are allowed: ${allowed}`,
      });
    }
    if (size > policy.maxFileBytes)
      findings.add("error", {
        check: "structure",
        code: "file_size",
        file,
        message: `${size} bytes, and a file may have ${policy.maxFileBytes}`,
      });
    else if (policy.maxLines !== null && SOURCES.has(ending)) {
      const lines = await countLines(join(agent.dir, file));
      if (lines > policy.maxLines)
        findings.add("error", {
          check: "structure",
          code: "lines",
          file,
          message: `${lines} lines, and a source file may have ${policy.maxLines}`,
        });
    }
  }
}

async function countLines(path: string): Promise<number> {
  let lines = 0;
  let last = 10;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    for (const byte of chunk) if (byte === 10) lines++;
    last = chunk.at(-1) ?? last;
  }
  return last === 10 ? lines : lines + 1;
}
