/** Talks to a real agent process over pipes, as a match does but without a sandbox: for tests and for in-process games. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { AGENT_DIR, GUEST_DIR, type Interpreter, languageCommand } from "../command.ts";
import type { AgentLanguage } from "../types.ts";

/** The runners in this checkout. */
export const guestDir = fileURLToPath(new URL("../../../../../guest", import.meta.url));

export interface StartOptions {
  readonly seat?: number;
  readonly seats?: number;
  readonly seed?: number;
  readonly masked?: boolean;
  readonly entry?: string;
  readonly env?: { id: string; version: number; options: object };
  readonly actions?: number;
  /** As a message has them. */
  readonly actionSpace?: unknown;
  readonly observationSpace?: unknown;
}

export interface Turn {
  readonly observation: unknown;
  readonly mask?: readonly number[];
  readonly episode?: number;
}

export class Conversation {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #dir: string;
  readonly #preface: string;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  log = "";
  #id = 0;

  /** Starts the process; nothing is said to it yet. `dir` holds the agent's files. */
  constructor(language: AgentLanguage, dir: string, interpreter?: string) {
    const found: Interpreter = { path: interpreter ?? process.execPath, mounts: [] };
    const { argv, env, preface } = languageCommand(language, { python: found, javascript: found }, guestDir);
    const words = argv.map((word) =>
      word.startsWith(GUEST_DIR) ? guestDir + word.slice(GUEST_DIR.length) : word === AGENT_DIR ? dir : word,
    );
    this.#dir = dir;
    this.#preface = preface;
    this.#child = spawn(words[0]!, words.slice(1), { env, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr!.on("data", (chunk: Buffer) => {
      this.log += chunk.toString();
    });
    this.#child.stdin!.on("error", () => {}); // an agent that has ended reads no more
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    this.ended = once(this.#child, "close").then(([code, signal]) => ({ code, signal }));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The next line the agent writes; undefined once it has closed its output. */
  async line(): Promise<string | undefined> {
    const next = await this.#lines.next();
    return next.done === true ? undefined : next.value;
  }

  say(message: object): void {
    this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** Sends `start` and gives the agent's answer. */
  async start(options: StartOptions = {}): Promise<unknown> {
    if (this.#preface !== "") this.#child.stdin!.write(this.#preface);
    this.say({
      type: "start",
      protocol: 1,
      env: options.env ?? { id: "tic-tac-toe", version: 1, options: {} },
      seat: options.seat ?? 0,
      seats: options.seats ?? 2,
      seed: options.seed ?? 1,
      action_space: options.actionSpace ?? { type: "Discrete", n: options.actions ?? 9 },
      observation_space: options.observationSpace ?? { type: "Box", shape: [2, 3], dtype: "int8", low: 0, high: 1 },
      masked: options.masked ?? true,
      agent_dir: this.#dir,
      ...(options.entry === undefined ? {} : { entry: options.entry }),
      limits: { start_seconds: 30, move_seconds: 5, bank_seconds: 0 },
    });
    return this.#answer();
  }

  /** Asks for an action and gives the answer without its id, which it checks. */
  async ask(turn: Turn): Promise<{ action?: number; error?: string }> {
    const id = ++this.#id;
    const { observation, mask: action_mask, episode = 0 } = turn;
    this.say({ type: "act", id, episode, step: id, observation, action_mask, reward: 0 });
    const { id: answered, ...answer } = (await this.#answer()) as {
      id: number;
      action?: number;
      error?: string;
    };
    if (answered !== id) throw new Error(`question ${id} was answered as ${answered}`);
    return answer;
  }

  /** Closes the agent's input and waits for it to end. */
  async close(): Promise<{ code: number | null; signal: string | null }> {
    this.#child.stdin!.end();
    return this.ended;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #answer(): Promise<unknown> {
    const line = await this.line();
    if (line === undefined) throw new Error(`the agent ended without an answer; its log:\n${this.log}`);
    return JSON.parse(line);
  }
}
