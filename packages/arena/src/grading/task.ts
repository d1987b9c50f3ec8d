/**
 * Taking a task in: its bundle is as hostile as an agent's, and comes through the same guards. What the manifest names must be
 * there and make sense, so that a task that was taken in can be graded.
 */
import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { type Environment, makeEnvironment } from "@lanista/games/environment";
import { OptionError } from "@lanista/games/options";
import { environments } from "@lanista/games/registry";
import { copyFolder } from "../agents/copy-folder.ts";
import { digestFiles } from "../agents/digest.ts";
import { prepareAgent } from "../agents/prepare.ts";
import { quote } from "../agents/tree.ts";
import { BundleError, defaultBundleLimits, type PreparedAgent } from "../agents/types.ts";
import { unzip } from "../agents/unzip.ts";
import { MANIFEST, parseManifest, type TaskManifest, type TestCase } from "./manifest.ts";
import { TaskError } from "./task-error.ts";

export interface PreparedCase extends TestCase {
  readonly env: Environment;
  readonly opponentAgents: readonly PreparedAgent[];
}

export interface PreparedTask {
  /** SHA-256, in hex, over the bundle's sorted paths and contents: equal for a folder and a zip of it. */
  readonly digest: string;
  readonly manifest: TaskManifest;
  readonly cases: readonly PreparedCase[];
  readonly reference?: PreparedAgent;
  readonly cheat?: PreparedAgent;
  /** Holds all its files; the caller's to remove. */
  readonly dir: string;
}

/** A folder or a .zip with `task.yaml` at its root. Throws TaskError and BundleError, and then leaves nothing behind. */
export async function takeTask(path: string, workDir: string): Promise<PreparedTask> {
  await mkdir(workDir, { recursive: true });
  const dir = await mkdtemp(join(resolve(workDir), "task-"));
  try {
    const bundle = join(dir, "bundle");
    await mkdir(bundle);
    const files = await takeFiles(path, bundle);
    if (!files.includes(MANIFEST))
      throw new TaskError(
        `${quote(path)} is no task: there is no ${MANIFEST} at its root (lanista init task writes one)`,
      );
    const manifest = parseManifest(await readFile(join(bundle, MANIFEST), "utf8"));
    const agents = new Map<string, PreparedAgent>();
    const agent = async (place: string, name: string): Promise<PreparedAgent> => {
      const known = agents.get(name);
      if (known !== undefined) return known;
      const made = await prepareAgent(join(bundle, name), { workDir: join(dir, "agents") }).catch((error: unknown) => {
        if (!(error instanceof BundleError)) throw error;
        const why = error.code === "not_found" ? "there is no such file or folder in the task" : error.message;
        throw new TaskError(`${MANIFEST}: ${place}: ${quote(name)}: ${why}`);
      });
      agents.set(name, made);
      return made;
    };
    const cases: PreparedCase[] = [];
    for (const [index, one] of manifest.cases.entries()) {
      const place = `cases[${index}]`;
      const env = environmentOf(manifest.environment, one, place);
      const opponentAgents: PreparedAgent[] = [];
      for (const [seat, name] of one.opponents.entries())
        opponentAgents.push(await agent(`${place}.opponents[${seat}]`, name));
      cases.push({ ...one, env, opponentAgents });
    }
    const { reference, cheat } = manifest;
    return {
      digest: (await digestFiles(bundle, files)).digest,
      manifest,
      cases,
      ...(reference === undefined ? {} : { reference: await agent("reference", reference) }),
      ...(cheat === undefined ? {} : { cheat: await agent("cheat", cheat) }),
      dir,
    };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function takeFiles(path: string, bundle: string): Promise<string[]> {
  const source = resolve(path);
  const found = await stat(source).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw new TaskError(`there is no task at ${quote(path)}; give a folder or a .zip`);
  });
  if (found.isDirectory()) return await copyFolder(source, bundle, defaultBundleLimits);
  if (found.isFile() && extname(source).toLowerCase() === ".zip")
    return await unzip(source, bundle, defaultBundleLimits);
  throw new TaskError(`${quote(basename(source))} is not a task: give a folder or a .zip`);
}

function environmentOf(id: string, one: TestCase, place: string): Environment {
  const definition = environments.get(id);
  if (definition === undefined)
    throw new TaskError(
      `${MANIFEST}: environment: there is no ${JSON.stringify(id)}; there are ${[...environments.keys()].join(", ")}`,
    );
  let env: Environment;
  try {
    env = makeEnvironment(definition, one.options);
  } catch (error) {
    if (error instanceof OptionError) throw new TaskError(`${MANIFEST}: ${place}.options: ${error.message}`);
    throw error;
  }
  const { seats } = env.info;
  if (one.seat >= seats) throw new TaskError(`${MANIFEST}: ${place}.seat: ${id} has seats 0 … ${seats - 1}`);
  if (one.opponents.length !== seats - 1)
    throw new TaskError(
      `${MANIFEST}: ${place}.opponents: ${id} has ${seats} ${seats === 1 ? "seat" : "seats"}, so ${seats - 1} must be named, not ${one.opponents.length}`,
    );
  return env;
}
