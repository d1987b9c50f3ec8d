/**
 * Takes a grader's and an agent's bundle in, through the same guards as any agent's. They stay apart: what of the agent's a
 * grader may import is known by name alone.
 */
import { copyFileSync, cpSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { copyFile, copyFolder } from "../agents/copy-folder.ts";
import { digestFiles } from "../agents/digest.ts";
import { quote } from "../agents/tree.ts";
import { BundleError, type BundleLimits, defaultBundleLimits } from "../agents/types.ts";
import { unzip } from "../agents/unzip.ts";
import { type UpstreamNeeds, upstreamNeeds } from "./upstream.ts";

export interface LegacyBundle {
  readonly name: string;
  readonly digest: string;
  readonly dir: string;
  readonly bytes: number;
  readonly files: readonly string[];
}

export interface BundlePair {
  readonly grader: LegacyBundle;
  readonly agent: LegacyBundle;
  /** What the grader's requirements.txt asks of the index; empty if nothing. */
  readonly requirements: string;
  /** What of aiVLE's own packages it names (upstream.ts). */
  readonly upstream: readonly string[];
  /** Holds both, and what is made of them; the caller's to remove. */
  readonly dir: string;
}

export const BOOTSTRAP = "bootstrap.sh";
const REQUIREMENTS = "requirements.txt";
const LONGEST_REQUIREMENTS = 64 * 1024;

export type Whose = "grader" | "agent";

/** A bundle that was refused, by the reason. */
export class RefusedBundle extends Error {
  override readonly name = "RefusedBundle";
  readonly whose: Whose;

  constructor(whose: Whose, reason: BundleError) {
    super(reason.message, { cause: reason });
    this.whose = whose;
  }
}

/** Throws RefusedBundle, and BundleError `not_found` where there is none to refuse; then leaves nothing behind. */
export async function takeBundlePair(grader: string, agent: string, workDir: string): Promise<BundlePair> {
  await mkdir(workDir, { recursive: true });
  const dir = await mkdtemp(join(resolve(workDir), "legacy-"));
  try {
    await chmod(dir, 0o755);
    const taken = await take("grader", grader, join(dir, "grader"));
    const { requirements, folders } = await refusing("grader", () => requirementsOf(taken));
    return {
      grader: taken,
      agent: await take("agent", agent, join(dir, "agent")),
      requirements,
      upstream: folders,
      dir,
    };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function refusing<T>(whose: Whose, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BundleError && error.code !== "not_found") throw new RefusedBundle(whose, error);
    throw error;
  }
}

const take = (whose: Whose, path: string, dir: string): Promise<LegacyBundle> =>
  refusing(whose, () => takeFiles(whose, path, dir));

async function takeFiles(whose: Whose, path: string, dir: string): Promise<LegacyBundle> {
  const source = resolve(path);
  await mkdir(dir);
  const ending = extname(source).toLowerCase();
  const found = await stat(source).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw new BundleError("not_found", `there is no ${whose} at ${quote(path)}; give a .zip or a folder`);
  });
  const limits: BundleLimits = defaultBundleLimits;
  const files = found.isDirectory()
    ? await copyFolder(source, dir, limits)
    : ending === ".py" && whose === "agent"
      ? await copyFile(source, dir, "agent.py", limits)
      : await unzip(source, dir, limits);
  const folders = new Set(["."]);
  for (const file of files)
    for (let folder = dirname(file); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  for (const folder of folders) await chmod(join(dir, folder), 0o755);
  return {
    name: ending === ".zip" ? basename(source, ending) : basename(source),
    dir,
    files,
    ...(await digestFiles(dir, files)),
  };
}

/** Throws BundleError where it is no grader. */
async function requirementsOf({ dir, files, name }: LegacyBundle): Promise<UpstreamNeeds> {
  if (!files.includes(BOOTSTRAP))
    throw new BundleError("no_entry", `${quote(name)} is no grader of aiVLE's: there is no ${BOOTSTRAP} at its root`);
  if (!files.includes(REQUIREMENTS)) return { requirements: "", folders: [] };
  const path = join(dir, REQUIREMENTS);
  if ((await stat(path)).size > LONGEST_REQUIREMENTS)
    throw new BundleError("too_large", `${REQUIREMENTS} is over ${LONGEST_REQUIREMENTS} bytes`);
  const text = await readFile(path, "utf8");
  return upstreamNeeds(text);
}

/** The agent's top-level modules and packages, which a grader could import. */
export function agentModules(files: readonly string[]): string[] {
  const names = files.flatMap((file) => {
    const [first = "", ...rest] = file.split("/");
    if (rest.length > 0) return file.endsWith(".py") ? [first] : [];
    return first.endsWith(".py") ? [first.slice(0, -3)] : [];
  });
  return [...new Set(names)].filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
}

/** A folder with the agent's files and over them the grader's: what aiVLE runs, but that there the agent's are on top. */
export async function oneFolder({ grader, agent, dir }: BundlePair): Promise<Pick<LegacyBundle, "dir" | "bytes">> {
  const both = join(dir, "both");
  await rm(both, { recursive: true, force: true });
  cpSync(agent.dir, both, { recursive: true });
  // A file where the other has a folder of that name is the grader's.
  const own = new Set(grader.files);
  for (const file of grader.files) {
    for (let folder = dirname(file); folder !== "."; folder = dirname(folder))
      if (agent.files.includes(folder)) await rm(join(both, folder), { force: true });
    if (agent.files.some((other) => other.startsWith(`${file}/`))) await rm(join(both, file), { recursive: true });
    await mkdir(dirname(join(both, file)), { recursive: true, mode: 0o755 });
    copyFileSync(join(grader.dir, file), join(both, file));
  }
  // A template of an agent among the grader's files stands for the agent: it is what aiVLE overwrites on purpose.
  if (own.has("agent.py") && agent.files.includes("agent.py"))
    copyFileSync(join(agent.dir, "agent.py"), join(both, "agent.py"));
  return { dir: both, bytes: grader.bytes + agent.bytes };
}
