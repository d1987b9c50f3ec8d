/** aiVLE's worker as a process in a folder with the site's `.env`, which a test kills and starts again. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export class WorkerProcess {
  /** What it logged, over all its lives. */
  readonly lines: string[] = [];
  readonly name: string;
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;

  constructor(folder: string, dotEnv: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
    mkdirSync(folder, { recursive: true });
    const own = {
      LANISTA_AIVLE_JOURNAL_DIR: join(folder, "journal"),
      LANISTA_AIVLE_TEMP_DIR: join(folder, "temp"),
      ...dotEnv,
    };
    writeFileSync(
      join(folder, ".env"),
      Object.entries(own)
        .map(([name, value]) => `${name}='${value}'\n`)
        .join(""),
    );
    this.#folder = folder;
    const { LANISTA_AIVLE_JOBS: _, ...rest } = process.env;
    this.#env = { ...rest, ...env };
    this.name = `${dotEnv.WORKER_NAME ?? "celery"}@${hostname()}`;
  }

  start(): void {
    const host = join(import.meta.dirname, "worker-host.ts");
    const child = spawn(process.execPath, ["--conditions=lanista-source", host], {
      cwd: this.#folder,
      env: this.#env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    createInterface({ input: child.stderr! }).on("line", (line) => this.lines.push(line));
    this.#child = child;
  }

  /** At once, from within whatever the test is in. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  /** How it ended. */
  async end(): Promise<number | null> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    return await new Promise((resolve) => {
      child.once("exit", resolve);
      child.kill("SIGTERM");
    });
  }

  says(text: string): boolean {
    return this.lines.some((line) => line.includes(text));
  }
}
