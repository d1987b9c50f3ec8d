/** Programs kept running, as a service manager does: started again whenever they end, until they are stopped. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

const AGAIN_MS = 300;

export class KeptProcess {
  readonly name: string;
  readonly #start: () => ChildProcess;
  #child: ChildProcess;
  #stopped = false;
  #kills = 0;

  constructor(name: string, start: () => ChildProcess) {
    this.name = name;
    this.#start = start;
    this.#child = this.#launch();
  }

  #launch(): ChildProcess {
    const child = this.#start();
    child.once("exit", () => {
      if (!this.#stopped)
        setTimeout(() => {
          if (!this.#stopped) this.#child = this.#launch();
        }, AGAIN_MS);
    });
    return child;
  }

  get pid(): number | undefined {
    return this.#child.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  /** How often it was killed. */
  get kills(): number {
    return this.#kills;
  }

  kill(): void {
    if (this.pid === undefined) return;
    this.#kills++;
    this.#child.kill("SIGKILL");
  }

  /** Lets it end by itself; kills it after the time. Says whether it ended by itself. */
  async stop(ms: number): Promise<boolean> {
    this.#stopped = true;
    if (this.pid === undefined) return true;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), ms);
    await ended;
    clearTimeout(timer);
    return this.#child.signalCode !== "SIGKILL";
  }
}

export interface Descendant {
  readonly pid: number;
  readonly program: string;
  /** In how many pid namespaces it is: 1 is on the host, 2 beside a runtime, 3 in a container. */
  readonly depth: number;
}

/** Every process below `pid`. */
export function descendants(pid: number): Descendant[] {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8").trim();
    } catch {
      return "";
    }
  };
  const children = (one: number): number[] => {
    const text = read(`/proc/${one}/task/${one}/children`);
    return text === "" ? [] : text.split(" ").map(Number);
  };
  const found: Descendant[] = [];
  for (const queue = children(pid); queue.length > 0; ) {
    const one = queue.shift()!;
    const depth = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${one}/status`))?.[1]?.split(/\s+/).length ?? 0;
    found.push({ pid: one, program: read(`/proc/${one}/comm`), depth });
    queue.push(...children(one));
  }
  return found;
}
