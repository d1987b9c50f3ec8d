import { open } from "node:fs/promises";
import { join } from "node:path";
import { type AgentLanguage, BundleError } from "./types.ts";

export interface AgentEntry {
  readonly language: AgentLanguage;
  readonly entry: string;
}

const preferred: readonly (readonly [string, AgentLanguage])[] = [
  ["run", "executable"],
  ["agent.py", "python"],
  ["main.py", "python"],
  ["agent.mjs", "javascript"],
  ["agent.js", "javascript"],
  ["agent.cjs", "javascript"],
  ["main.mjs", "javascript"],
  ["main.js", "javascript"],
  ["main.cjs", "javascript"],
];

/** Finds what is started, by docs/agents.md's order. `files` are relative paths. Throws BundleError `no_entry`. */
export async function findEntry(dir: string, files: readonly string[]): Promise<AgentEntry> {
  const names = new Set(files);
  for (const [entry, language] of preferred) if (names.has(entry)) return { language, entry };
  if (names.has("package.json")) {
    const main = await packageMain(join(dir, "package.json"));
    for (const entry of main === undefined ? [] : [main, `${main}.js`, `${main}/index.js`])
      if (names.has(entry)) return { language: "javascript", entry };
  }
  const root = files.filter((path) => !path.includes("/")).sort();
  const first = root.find((path) => path.endsWith(".py"));
  if (first !== undefined) return { language: "python", entry: first };
  throw new BundleError("no_entry", noEntry(files));
}

function noEntry(files: readonly string[]): string {
  const want = "agent.py, agent.mjs or an executable named run must be at its root (docs/agents.md)";
  if (files.length === 0) return `the agent has no files: ${want}`;
  const inner = files.find((path) => /(^|\/)(run|(agent|main)\.(py|mjs|cjs|js))$/.test(path));
  if (inner === undefined) return `nothing in the agent can be started: ${want}`;
  return `nothing at the agent's root can be started, but ${JSON.stringify(inner)} is there: hand in the contents of that folder, not the folder`;
}

const MANIFEST_BYTES = 64 * 1024;

/** package.json's main as a relative path; undefined where there is none that could name a file of the agent's. */
async function packageMain(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MANIFEST_BYTES), 0, MANIFEST_BYTES, 0);
    const manifest: unknown = JSON.parse(buffer.toString("utf8", 0, bytesRead));
    if (typeof manifest !== "object" || manifest === null || !Object.hasOwn(manifest, "main")) return undefined;
    const { main } = manifest as { main: unknown };
    return typeof main === "string" ? main.replace(/^\.\//, "") : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new BundleError(
      "no_entry",
      "package.json is not JSON (or over 64 KiB); mend it, or name the agent agent.mjs",
    );
  } finally {
    await file.close();
  }
}
