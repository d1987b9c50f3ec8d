/**
 * Taking an agent in. What a participant hands in is hostile until it lies in a folder of ours as plain files: names are
 * checked before anything is written, sizes while it is written, and nothing of it is run, imported or followed.
 */
import { chmod, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { copyFile, copyFolder } from "./copy-folder.ts";
import { digestFiles } from "./digest.ts";
import { findEntry } from "./entry.ts";
import { quote } from "./tree.ts";
import { BundleError, type BundleLimits, defaultBundleLimits, type PreparedAgent } from "./types.ts";
import { unzip } from "./unzip.ts";

export interface PrepareOptions {
  /** The agent's folder is made in here, and is the caller's to remove. Created if absent. */
  readonly workDir: string;
  readonly limits?: Partial<BundleLimits>;
}

const singleFiles = new Set([".py", ".mjs", ".js", ".cjs"]);

/**
 * Takes in a file (.py, .mjs, .js, .cjs), a folder or a .zip. Throws BundleError for what the participant did wrong, and
 * then leaves nothing behind; other errors are the host's.
 */
export async function prepareAgent(path: string, options: PrepareOptions): Promise<PreparedAgent> {
  const limits = { ...defaultBundleLimits, ...options.limits };
  const source = resolve(path);
  const kind = await sourceKind(path, source);
  await mkdir(options.workDir, { recursive: true });
  const dir = await mkdtemp(join(resolve(options.workDir), "agent-"));
  try {
    const files =
      kind === "folder"
        ? await copyFolder(source, dir, limits)
        : kind === "zip"
          ? await unzip(source, dir, limits)
          : await copyFile(source, dir, `agent${kind}`, limits);
    await openFolders(dir, files);
    const entry = await findEntry(dir, files);
    // A file keeps its ending: a table with two agents named "search" says less than one with search.py and search.mjs.
    const name = kind === "zip" ? basename(source, extname(source)) : basename(source);
    return { name, ...(await digestFiles(dir, files)), ...entry, dir };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** The agent runs under another user id, and the umask of the host process must not keep it from its own files. */
async function openFolders(dir: string, files: readonly string[]): Promise<void> {
  const folders = new Set(["."]);
  for (const path of files)
    for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  for (const folder of folders) await chmod(join(dir, folder), 0o755);
}

async function sourceKind(path: string, source: string): Promise<string> {
  const found = await stat(source).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw new BundleError("not_found", `there is no agent at ${quote(path)}; give a file, a folder or a .zip`);
  });
  if (found.isDirectory()) return "folder";
  const ending = extname(source).toLowerCase();
  if (found.isFile() && ending === ".zip") return "zip";
  if (found.isFile() && singleFiles.has(ending)) return ending;
  throw new BundleError(
    "unsupported",
    `${quote(path)} is not an agent: give a .py, .mjs or .js file, a .zip, or a folder (an executable goes into a folder, named run)`,
  );
}
