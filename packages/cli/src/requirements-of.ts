/** What is asked for by a requirements file, or by a bundle (a folder or a zip): an agent's, a task's, or one of aiVLE's. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, open, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { defaultBundleLimits } from "@lanista/arena/agents/types";
import { unzip } from "@lanista/arena/agents/unzip";
import { takeTask } from "@lanista/arena/grading/task";
import { upstreamNeeds } from "@lanista/arena/legacy/upstream";
import { UsageError } from "./usage-error.ts";

const NAME = "requirements.txt";
/** More than a requirements file may have. */
const MOST_BYTES = 1024 * 1024;

/**
 * The texts of requirements, each for a set of its own. `workDir`: for what bundles hold; the caller's to remove. Throws
 * UsageError, BundleError, TaskError.
 */
export async function requirementsOf(path: string, workDir: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UsageError(`there is nothing at ${path}`);
  if (!found.isDirectory() && extname(path).toLowerCase() !== ".zip") return [await read(path, path)];
  let folder = path;
  if (!found.isDirectory()) {
    await mkdir(workDir, { recursive: true });
    folder = await mkdtemp(join(workDir, "bundle-"));
    await unzip(path, folder, defaultBundleLimits);
  }
  if (existsSync(join(folder, "task.yaml"))) {
    const { requirements, environment } = await takeTask(path, workDir);
    const texts = [...Object.values(requirements), environment?.requirements];
    return texts.filter((text) => text !== undefined && text !== null);
  }
  // What grading takes from elsewhere is asked of no index.
  return [upstreamNeeds(await read(join(folder, NAME), path)).requirements];
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
