/**
 * What plays by itself, in a process of its own that lives for the whole benchmark: other people's systems in Python, whose
 * imports cost seconds and are no part of what is compared, and our own rules in Node. One JSON line asks for a
 * measurement, one answers with it.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export interface PlayerAnswer {
  readonly steps: number;
  readonly games: number;
  /** Of the measurement itself, by the player's own clocks: the wall's, and the CPU time of its process. */
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** The virtual environment's interpreter, if run.sh could make one. */
function peerPython(): string | undefined {
  const venv = process.env.BENCH_VENV;
  const path = venv === undefined ? undefined : join(venv, "bin", "python");
  return path !== undefined && existsSync(path) ? path : undefined;
}

export class Player {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(argv: readonly string[]) {
    this.#child = spawn(argv[0]!, argv.slice(1), {
      stdio: ["pipe", "pipe", "inherit"],
      // One core of everybody's is compared.
      env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" },
    });
    this.#child.stdin.on("error", () => {}); // It has ended: the missing answer says so.
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** A script of peers/. Undefined where its packages are not there; what Python says of it is printed. */
  static async peer(script: string): Promise<Player | undefined> {
    const python = peerPython();
    if (python === undefined) return undefined;
    const player = new Player([python, join(import.meta.dirname, "..", "peers", script)]);
    const first = await player.#lines.next();
    if (first.done !== true) return player;
    console.error(`the peer ${script} cannot run here; its column stays empty`);
    return undefined;
  }

  /** A script of bench/, in a Node of its own. Throws an Error if it does not come up. */
  static async ours(script: string, ...args: readonly string[]): Promise<Player> {
    const path = join(import.meta.dirname, "..", script);
    const player = new Player([process.execPath, ...process.execArgv, path, ...args]);
    const first = await player.#lines.next();
    if (first.done === true) throw new Error(`${script} ended before it was ready`);
    return player;
  }

  /** Throws an Error if the player ended instead of answering. */
  async ask(question: object): Promise<PlayerAnswer> {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`a player ended without an answer to ${JSON.stringify(question)}`);
    return JSON.parse(line.value);
  }

  close(): void {
    this.#reader.close();
    this.#child.stdin.end();
    this.#child.kill();
  }
}
