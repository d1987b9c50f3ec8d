/**
 * Taking a task in: its bundle is as hostile as an agent's, and comes through the same guards. What the manifest names must be
 * there and make sense, so that a task that was taken in can be graded.
 */
import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import type { Environment } from "@lanista/games/environment";
import { copyFolder } from "../agents/copy-folder.ts";
import { digestFiles } from "../agents/digest.ts";
import { quote } from "../agents/tree.ts";
import { defaultBundleLimits, type PreparedAgent } from "../agents/types.ts";
import { unzip } from "../agents/unzip.ts";
import type { BundledEnvironment } from "../bundled/take.ts";
import {
  type EnvironmentCase,
  MANIFEST,
  parseManifest,
  type QuestionCase,
  type SupervisedCase,
  type TaskManifest,
  type TestCase,
} from "./manifest.ts";
import type { Metric } from "./measures.ts";
import { pairUp, type SupervisedData } from "./supervised/take-data.ts";
import { TakeBundle, type TaskFiles } from "./take-bundle.ts";
import { environmentOf } from "./take-environment.ts";
import { TaskError } from "./task-error.ts";

interface WithOpponents {
  /** For the other seats; none where there are no seats. */
  readonly opponentAgents: readonly PreparedAgent[];
}

export interface PreparedEnvironmentCase extends EnvironmentCase, WithOpponents {
  /** What it is played in: rules, or a bundle that a box is made of when it is played. */
  readonly env: Environment | BundledEnvironment;
}
export interface PreparedQuestionCase extends QuestionCase, WithOpponents {}
export interface PreparedSupervisedCase extends SupervisedCase, WithOpponents {
  readonly table: SupervisedData;
}
export type PreparedCase = PreparedEnvironmentCase | PreparedQuestionCase | PreparedSupervisedCase;

export interface PreparedTask {
  /** SHA-256, in hex, over the bundle's sorted paths and contents: equal for a folder and a zip of it. */
  readonly digest: string;
  readonly manifest: TaskManifest;
  readonly cases: readonly PreparedCase[];
  readonly judge?: PreparedAgent;
  /** What the agent may read; absent where it is nothing. */
  readonly files?: TaskFiles;
  /** The bundled environment of all its cases. */
  readonly environment?: BundledEnvironment;
  /** The text of requirements files. */
  readonly requirements: { readonly agent?: string; readonly judge?: string };
  readonly reference?: PreparedAgent;
  readonly cheat?: PreparedAgent;
  /** All of the above that is run in boxes: for these there must be interpreters. */
  readonly programs: readonly PreparedAgent[];
  /** The bundle's own files: `bundle` holds them, as `paths`. */
  readonly bundle: string;
  readonly paths: readonly string[];
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
    const paths = await takeFiles(path, bundle);
    if (!paths.includes(MANIFEST))
      throw new TaskError(
        `${quote(path)} is no task: there is no ${MANIFEST} at its root (lanista init task writes one)`,
      );
    const manifest = parseManifest(await readFile(join(bundle, MANIFEST), "utf8"));
    const take = new TakeBundle(dir, paths);
    const { bundledEnvironment } = manifest;
    const environment = bundledEnvironment === undefined ? undefined : await take.environment(bundledEnvironment);
    const cases: PreparedCase[] = [];
    for (const [index, one] of manifest.cases.entries())
      cases.push(await takeCase(one, manifest, environment, `cases[${index}]`, take));
    const { judge, reference, cheat, files, template } = manifest;
    if (template !== undefined) take.covered("template", template);
    const { agent: forAgent, judge: forJudge } = manifest.requirements;
    const own = {
      ...(judge === undefined ? {} : { judge: await take.judge(judge) }),
      ...(reference === undefined ? {} : { reference: await take.agent("reference", reference) }),
      ...(cheat === undefined ? {} : { cheat: await take.agent("cheat", cheat) }),
    };
    return {
      digest: (await digestFiles(bundle, paths)).digest,
      manifest,
      cases,
      ...(environment === undefined ? {} : { environment }),
      ...own,
      ...(files.length === 0 ? {} : { files: await take.files(files) }),
      requirements: {
        ...(forAgent === undefined ? {} : { agent: await take.requirements("requirements.agent", forAgent) }),
        ...(forJudge === undefined ? {} : { judge: await take.requirements("requirements.judge", forJudge) }),
      },
      programs: [...Object.values(own), ...cases.flatMap((one) => one.opponentAgents)],
      bundle,
      paths,
      dir,
    };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function takeCase(
  one: TestCase,
  manifest: TaskManifest,
  environment: BundledEnvironment | undefined,
  place: string,
  take: TakeBundle,
): Promise<PreparedCase> {
  if (one.kind === "questions") return { ...one, opponentAgents: [] };
  if (one.kind === "supervised") {
    const inputs = await take.data(`${place}.inputs`, one.inputs);
    const labels = await take.data(`${place}.labels`, one.labels);
    const { classes = [] } = manifest.supervised!;
    const table = pairUp(`${MANIFEST}: ${place}`, inputs, labels, classes, one.scoring.by as Metric);
    return { ...one, opponentAgents: [], table };
  }
  const env = environment ?? environmentOf(manifest.environment!, one, place);
  const opponentAgents: PreparedAgent[] = [];
  for (const [seat, name] of one.opponents.entries())
    opponentAgents.push(await take.agent(`${place}.opponents[${seat}]`, name));
  return { ...one, env, opponentAgents };
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
