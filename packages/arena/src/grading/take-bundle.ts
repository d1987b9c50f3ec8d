/** The parts of a task's bundle that its manifest names, each found once and looked at as what it is named for. */
import { chmod, cp, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { digestFiles } from "../agents/digest.ts";
import { prepareAgent } from "../agents/prepare.ts";
import { quote } from "../agents/tree.ts";
import { BundleError, type PreparedAgent } from "../agents/types.ts";
import { EnvironmentBundleError } from "../bundled/bundle-error.ts";
import { type BundledEnvironment, takeBundledEnvironment } from "../bundled/take.ts";
import { MANIFEST } from "./manifest.ts";
import { MAX_FILE, readTable } from "./supervised/table.ts";
import type { DataFile } from "./supervised/take-data.ts";
import { TaskError } from "./task-error.ts";

/** Files that the agent may read, in a folder that a box can show. */
export interface TaskFiles {
  readonly dir: string;
  /** SHA-256, in hex, over their paths and contents. */
  readonly digest: string;
  readonly paths: readonly string[];
}

const MAX_REQUIREMENTS = 64 * 1024;
/** Of all data files together, parsed: they stay in memory while the task is graded. */
const MAX_VALUES = 5_000_000;
const JUDGES = ["judge.py", "judge.mjs", "judge.js", "judge.cjs"] as const;

export class TakeBundle {
  /** The task's own folder, which holds the bundle. */
  readonly #dir: string;
  readonly #files: readonly string[];
  readonly #agents = new Map<string, PreparedAgent>();
  readonly #data = new Map<string, DataFile>();
  #values = 0;

  /** `files`: all of the bundle, as relative paths. */
  constructor(dir: string, files: readonly string[]) {
    this.#dir = dir;
    this.#files = files;
  }

  get bundle(): string {
    return join(this.#dir, "bundle");
  }

  #wrong(place: string, name: string, why: string): TaskError {
    return new TaskError(`${MANIFEST}: ${place}: ${quote(name)}: ${why}`);
  }

  async agent(place: string, name: string): Promise<PreparedAgent> {
    const known = this.#agents.get(name);
    if (known !== undefined) return known;
    const workDir = join(this.#dir, "agents");
    const made = await prepareAgent(join(this.bundle, name), { workDir }).catch((error: unknown) => {
      if (!(error instanceof BundleError)) throw error;
      const absent = "there is no such file or folder in the task";
      throw this.#wrong(place, name, error.code === "not_found" ? absent : error.message);
    });
    this.#agents.set(name, made);
    return made;
  }

  /** The bundled environment that all cases are played in. */
  async environment(name: string): Promise<BundledEnvironment> {
    this.covered("environment", name);
    return await takeBundledEnvironment(join(this.bundle, name), join(this.#dir, "environment")).catch(
      (error: unknown) => {
        if (error instanceof EnvironmentBundleError || error instanceof BundleError)
          throw this.#wrong("environment", name, error.message);
        throw error;
      },
    );
  }

  /** A judge: a file, or a folder with a judge.py or judge.mjs at its root. */
  async judge(name: string): Promise<PreparedAgent> {
    const dir = join(this.#dir, "judge");
    const paths = await this.#copy("judge", name, dir, (path) => path.slice(name.length + 1) || basename(name));
    const entry =
      paths.length === 1 && this.#files.includes(name) ? paths[0] : JUDGES.find((one) => paths.includes(one));
    const language =
      entry === undefined
        ? undefined
        : /\.py$/.test(entry)
          ? "python"
          : /\.[mc]?js$/.test(entry)
            ? "javascript"
            : undefined;
    if (entry === undefined || language === undefined)
      throw this.#wrong("judge", name, `is neither a .py or .mjs file nor a folder with one of ${JUDGES.join(", ")}`);
    return { name: basename(name), ...(await digestFiles(dir, paths)), language, entry, dir };
  }

  /** What the agent may read, as the bundle has it. */
  async files(names: readonly string[]): Promise<TaskFiles> {
    const dir = join(this.#dir, "files");
    const paths = new Set<string>();
    for (const [at, name] of names.entries())
      for (const path of await this.#copy(`files[${at}]`, name, dir, (each) => each)) paths.add(path);
    const sorted = [...paths].sort();
    return { dir, digest: (await digestFiles(dir, sorted)).digest, paths: sorted };
  }

  /** Those of the bundle's files that a manifest's path covers. */
  covered(place: string, name: string): readonly string[] {
    const found = this.#files.filter((path) => path === name || path.startsWith(`${name}/`));
    if (found.length === 0) throw this.#wrong(place, name, "there is no such file or folder in the task");
    return found;
  }

  async requirements(place: string, name: string): Promise<string> {
    if (!this.#files.includes(name)) throw this.#wrong(place, name, "there is no such file in the task");
    const path = join(this.bundle, name);
    if ((await stat(path)).size > MAX_REQUIREMENTS) throw this.#wrong(place, name, `is over ${MAX_REQUIREMENTS} bytes`);
    return await readFile(path, "utf8");
  }

  async data(place: string, name: string): Promise<DataFile> {
    const known = this.#data.get(name);
    if (known !== undefined) return known;
    if (!this.#files.includes(name)) throw this.#wrong(place, name, "there is no such file in the task");
    const path = join(this.bundle, name);
    if ((await stat(path)).size > MAX_FILE) throw this.#wrong(place, name, `is over ${MAX_FILE} bytes`);
    const bytes = await readFile(path);
    const table = readTable(`${place}: ${quote(name)}`, bytes);
    this.#values += table.values;
    if (this.#values > MAX_VALUES)
      throw this.#wrong(place, name, `the task's data files hold over ${MAX_VALUES} values together`);
    const file = { name: basename(name), bytes, table };
    this.#data.set(name, file);
    return file;
  }

  async #copy(place: string, name: string, dir: string, to: (path: string) => string): Promise<string[]> {
    await mkdir(dir, { recursive: true });
    const copied: string[] = [];
    for (const path of this.covered(place, name)) {
      const target = to(path);
      await mkdir(dirname(join(dir, target)), { recursive: true });
      await cp(join(this.bundle, path), join(dir, target));
      copied.push(target);
    }
    await open(dir);
    return copied;
  }
}

/** Boxes read them under another user id, and this process's umask must not keep them from it. */
async function open(dir: string): Promise<void> {
  await chmod(dir, 0o755);
  for (const entry of await readdir(dir, { withFileTypes: true }))
    if (entry.isDirectory()) await open(join(dir, entry.name));
    else await chmod(join(dir, entry.name), 0o644);
}
