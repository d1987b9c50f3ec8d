/** The real Celery on the site's side: it publishes tasks, controls workers and waits for results. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** In seconds from now. */
export interface PublishOptions {
  readonly countdown?: number;
  readonly expires?: number;
}

export class CelerySite {
  readonly #child;
  readonly #answers: ((line: string) => void)[] = [];

  /** `venv`: a folder with Celery in it. */
  constructor(venv: string, broker: string, env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(join(venv, "bin", "python"), [join(import.meta.dirname, "celery_site.py"), broker], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#answers.shift()?.(line));
  }

  /** The message's id. `options`: of Celery's apply_async. */
  async publish(job: unknown, queue = "default", options: PublishOptions = {}): Promise<string> {
    return (await this.ask({ do: "publish", job, queue, ...options })) as string;
  }

  /** What a remote-control command is answered by the worker. */
  async control(command: string, worker: string, words: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const replies = await this.ask({ do: command, destination: [worker], arguments: words });
    return (replies as Record<string, unknown>[])[0]?.[worker];
  }

  async ask(order: Readonly<Record<string, unknown>>): Promise<unknown> {
    const line = new Promise<string>((resolve) => this.#answers.push(resolve));
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    const { answer, error } = JSON.parse(await line);
    if (error !== undefined) throw new Error(error);
    return answer;
  }

  stop(): void {
    this.#child.kill();
  }
}
