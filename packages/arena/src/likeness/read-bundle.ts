/** A bundle's programs as fingerprints. Its files come through the same guards as an agent's; they are read, and nothing of them is run. */
import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { type BundleLimits, defaultBundleLimits } from "../agents/types.ts";
import { unzip } from "../agents/unzip.ts";
import { type Language, tokensOf } from "./tokens.ts";
import { fingerprints } from "./winnow.ts";

const LANGUAGES: ReadonlyMap<string, Language> = new Map([
  [".py", "python"],
  [".js", "javascript"],
  [".mjs", "javascript"],
  [".cjs", "javascript"],
  [".ts", "javascript"],
]);
const LIMITS: BundleLimits = { ...defaultBundleLimits, totalBytes: 64 * 1024 * 1024 };
/** Bytes of programs that are read of one bundle, and of one file: longer ones are data. */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_FILE = 1024 * 1024;

/** Of a zip. Throws BundleError, and leaves nothing in `workDir`. */
export async function bundlePrints(path: string, workDir: string): Promise<ReadonlySet<number>> {
  await mkdir(workDir, { recursive: true });
  const dir = await mkdtemp(join(workDir, "compared-"));
  try {
    const prints = new Set<number>();
    let left = MOST_BYTES;
    for (const file of (await unzip(path, dir, LIMITS)).toSorted()) {
      const language = LANGUAGES.get(extname(file).toLowerCase());
      if (language === undefined) continue;
      const { size } = await stat(join(dir, file));
      if (size > MOST_FILE || size > left) continue;
      left -= size;
      for (const print of fingerprints(tokensOf(await readFile(join(dir, file), "utf8"), language))) prints.add(print);
    }
    return prints;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
