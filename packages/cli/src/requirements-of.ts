/** What is asked for by a requirements file, or by the one in a bundle: a folder or a zip. */
import { mkdir, mkdtemp, open, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { defaultBundleLimits } from "@lanista/arena/agents/types";
import { unzip } from "@lanista/arena/agents/unzip";
import { UsageError } from "./usage-error.ts";

const NAME = "requirements.txt";
/** More than a requirements file may have. */
const MOST_BYTES = 1024 * 1024;

/** `workDir`: for what a zip holds; the caller's to remove. Throws UsageError, BundleError. */
export async function requirementsOf(path: string, workDir: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UsageError(`there is nothing at ${path}`);
  if (found.isDirectory()) return read(join(path, NAME), path);
  if (extname(path).toLowerCase() !== ".zip") return read(path, path);
  await mkdir(workDir, { recursive: true });
  const folder = await mkdtemp(join(workDir, "bundle-"));
  await unzip(path, folder, defaultBundleLimits);
  return read(join(folder, NAME), path);
}

async function read(path: string, named: string): Promise<string> {
  const file = await open(path).catch(() => {
    throw new UsageError(`${named} has no ${NAME} that can be read`);
  });
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > MOST_BYTES)
      throw new UsageError(`the requirements of ${named} are no file of at most ${MOST_BYTES} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
