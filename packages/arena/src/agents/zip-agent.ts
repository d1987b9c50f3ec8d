/** An agent as one zip, to hand in. The same files always give the same bytes, so that nothing is stored twice. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import yazl from "yazl";
import { prepareAgent } from "./prepare.ts";
import type { BundleLimits } from "./types.ts";

const THEN = new Date(Date.UTC(1980, 0, 1));

/**
 * Of a file, a folder or a .zip. A .zip is taken as it is, once it is seen to be a good one. Throws BundleError for what is
 * wrong with the agent.
 */
export async function zipAgent(path: string, limits: Partial<BundleLimits> = {}): Promise<Buffer> {
  const workDir = await mkdtemp(join(tmpdir(), "lanista-zip-"));
  try {
    const agent = await prepareAgent(path, { workDir, limits });
    if (path.toLowerCase().endsWith(".zip")) return await readFile(path);
    const zip = new yazl.ZipFile();
    const entries = await readdir(agent.dir, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(agent.dir, join(entry.parentPath, entry.name)));
    for (const file of files.sort()) {
      const mode = file === agent.entry && agent.language === "executable" ? 0o100755 : 0o100644;
      zip.addBuffer(await readFile(join(agent.dir, file)), file, { mtime: THEN, mode, forceDosTimestamp: true });
    }
    zip.end();
    return await buffer(zip.outputStream);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}
