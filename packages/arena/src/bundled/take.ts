/**
 * Taking a bundled environment in. Its author is trusted with no more than an agent's: the files come through the same guards,
 * and nothing of them runs but in a box.
 */
import { chmod, mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { copyFolder } from "../agents/copy-folder.ts";
import { digestFiles } from "../agents/digest.ts";
import { quote } from "../agents/tree.ts";
import { defaultBundleLimits } from "../agents/types.ts";
import { unzip } from "../agents/unzip.ts";
import { EnvironmentBundleError } from "./bundle-error.ts";
import { ENVIRONMENT_MANIFEST, type EnvironmentManifest, parseEnvironmentManifest } from "./manifest.ts";

const REQUIREMENTS = "requirements.txt";
const MAX_REQUIREMENTS = 64 * 1024;

export interface BundledEnvironment {
  readonly manifest: EnvironmentManifest;
  /** SHA-256, in hex, over the sorted paths and contents: equal for a folder and a zip of it. */
  readonly digest: string;
  /** What its requirements.txt says; null without one. */
  readonly requirements: string | null;
  /** Holds its files; the caller's to remove. */
  readonly dir: string;
  readonly bytes: number;
}

/**
 * A folder or a .zip with `environment.yaml` at its root. Throws EnvironmentBundleError, and BundleError for names and sizes that are
 * refused in every bundle, and then leaves nothing behind.
 */
export async function takeBundledEnvironment(path: string, workDir: string): Promise<BundledEnvironment> {
  await mkdir(workDir, { recursive: true });
  const dir = await mkdtemp(join(resolve(workDir), "environment-"));
  try {
    const files = await takeFiles(path, dir);
    if (!files.includes(ENVIRONMENT_MANIFEST))
      throw new EnvironmentBundleError(
        `${quote(path)} is no environment: there is no ${ENVIRONMENT_MANIFEST} at its root`,
      );
    // The box's user is another, and the umask of this process must not keep it out.
    for (const folder of new Set(files.flatMap(foldersOf))) await chmod(join(dir, folder), 0o755);
    const manifest = parseEnvironmentManifest(await readFile(join(dir, ENVIRONMENT_MANIFEST), "utf8"));
    const requirements = files.includes(REQUIREMENTS) ? await readFile(join(dir, REQUIREMENTS), "utf8") : null;
    if (requirements !== null && Buffer.byteLength(requirements) > MAX_REQUIREMENTS)
      throw new EnvironmentBundleError(`${REQUIREMENTS} is over ${MAX_REQUIREMENTS} bytes`);
    return { manifest, requirements, dir, ...(await digestFiles(dir, files)) };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

function foldersOf(path: string): string[] {
  const folder = dirname(path);
  return folder === "." ? ["."] : [folder, ...foldersOf(folder)];
}

async function takeFiles(path: string, dir: string): Promise<string[]> {
  const source = resolve(path);
  const found = await stat(source).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw new EnvironmentBundleError(`there is no environment at ${quote(path)}; give a folder or a .zip`);
  });
  if (found.isDirectory()) return copyFolder(source, dir, defaultBundleLimits);
  if (found.isFile() && extname(source).toLowerCase() === ".zip") return unzip(source, dir, defaultBundleLimits);
  throw new EnvironmentBundleError(`${quote(basename(source))} is not an environment: give a folder or a .zip`);
}
