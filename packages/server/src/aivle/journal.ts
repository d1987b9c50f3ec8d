/**
 * What this host knows of jobs, on its disk, so that it survives SIGKILL: for each job and message the report, once there is
 * one; whether the site has stored it; how often it was begun, and how often we failed. A report appears by a link, complete
 * and synced or not at all, and never changes: of two that are made at once the first stays, and both makers tell that one.
 */
import { createHash, randomUUID } from "node:crypto";
import { appendFile, link, mkdir, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Report, readReport, reportBytes } from "./report.ts";

/** No broker keeps a message longer: SQS does for 14 days. */
const KEPT_MS = 15 * 24 * 3600 * 1000;

type Tally = "begun" | "faults";

export interface Told {
  readonly bytes: Buffer;
  readonly report: Report;
}

export class Journal {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** `site`: its API's address; each has a folder of its own. Removes what is too old to be asked for. */
  static async open(root: string, site: string): Promise<Journal> {
    const folder = join(root, createHash("sha256").update(site).digest("hex").slice(0, 16));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const journal = new Journal(folder);
    await journal.sweep();
    return journal;
  }

  static key(jobId: number, taskId: string): string {
    return `${jobId}-${createHash("sha256").update(taskId).digest("hex").slice(0, 32)}`;
  }

  /** Undefined where there is none yet. */
  async report(key: string): Promise<Told | undefined> {
    const bytes = await readFile(this.#path(key, "report")).catch(absent);
    return bytes === undefined ? undefined : { bytes, report: readReport(bytes) };
  }

  /** Keeps a report, unless there is one. Gives the one that is kept, which is on the disk then. */
  async keep(key: string, report: Report): Promise<Told> {
    const fresh = join(this.#folder, `new-${randomUUID()}`);
    const file = await open(fresh, "wx", 0o600);
    try {
      await file.writeFile(reportBytes(report));
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(fresh, this.#path(key, "report"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      await rm(fresh, { force: true });
    }
    const folder = await open(this.#folder);
    await folder.sync().finally(() => folder.close());
    const kept = await this.report(key);
    if (kept === undefined) throw new Error(`the journal lost ${key}`);
    return kept;
  }

  /** The site has stored it. Not synced: told once more, the same report does no harm. */
  async stored(key: string): Promise<void> {
    await writeFile(this.#path(key, "stored"), "");
  }

  async isStored(key: string): Promise<boolean> {
    return (await stat(this.#path(key, "stored")).catch(absent)) !== undefined;
  }

  /** Counts one more, and says how many there were with it. */
  async count(key: string, what: Tally): Promise<number> {
    const path = this.#path(key, what);
    await appendFile(path, ".");
    return (await stat(path)).size;
  }

  async sweep(): Promise<void> {
    const oldest = Date.now() - KEPT_MS;
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const found = await stat(path).catch(absent);
      if (found !== undefined && found.mtimeMs < oldest) await rm(path, { force: true });
    }
  }

  #path(key: string, what: Tally | "report" | "stored"): string {
    return join(this.#folder, `${key}.${what}`);
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}
