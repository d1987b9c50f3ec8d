/** The Python client as a child process, its stubs made of the executor's messages by grpcio-tools. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pythonPackages } from "../../../server/python.ts";

const ROOT = join(import.meta.dirname, "../../../..");

/** null where the packages cannot be had: the test is skipped. */
export const executorPackages = (): string | null => pythonPackages(join(import.meta.dirname, "requirements.txt"));

export interface AgentResult {
  readonly agent_id: string;
  readonly score: number;
  readonly errors: number;
  readonly error_message: string;
}
export interface MatchResponse {
  readonly match_id: string;
  readonly status: string;
  readonly winner_agent_id: string;
  readonly agent_results: readonly AgentResult[];
  readonly replay_url: string;
  readonly error_message: string;
  readonly total_steps: number;
  readonly execution_time_sec: number;
  readonly replay_html_url: string;
}

export class RpcFailed extends Error {
  readonly code: string;
  constructor(code: string, details: string) {
    super(`${code}: ${details}`);
    this.code = code;
  }
}

interface Line {
  readonly id: string;
  readonly response?: unknown;
  readonly error?: string;
  readonly details?: string;
}

export interface CallOptions {
  /** Seconds. */
  readonly timeout?: number;
  readonly token?: string;
}

export class PythonClient {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #waiting = new Map<string, { resolve(response: unknown): void; reject(error: Error): void }>();
  #count = 0;
  #over = false;

  /** `url`: `http://127.0.0.1:50051`. */
  constructor(venv: string, url: string) {
    this.#folder = mkdtempSync(join(tmpdir(), "lanista-stubs-"));
    const python = join(venv, "bin/python");
    const proto = join(ROOT, "proto/executor");
    const out = [`--python_out=${this.#folder}`, `--grpc_python_out=${this.#folder}`];
    execFileSync(python, ["-m", "grpc_tools.protoc", `-I${proto}`, ...out, join(proto, "executor.proto")]);
    const words = [join(import.meta.dirname, "client.py"), new URL(url).host, this.#folder];
    this.#child = spawn(python, words, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#ended(JSON.parse(line) as Line));
    this.#child.once("exit", () => {
      this.#over = true;
      for (const { reject } of this.#waiting.values()) reject(new Error("the client ended"));
    });
  }

  #ended({ id, response, error, details }: Line): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(response);
    else waiting?.reject(new RpcFailed(error, details ?? ""));
  }

  /** The answer, and what drops the call. */
  start<T>(call: string, request: object, options: CallOptions = {}): { readonly answer: Promise<T>; drop(): void } {
    if (this.#over) throw new Error("the client has ended");
    const id = String(++this.#count);
    const answer = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (response: unknown) => void, reject });
    });
    const say = (line: object): void => void this.#child.stdin!.write(`${JSON.stringify(line)}\n`);
    say({ id, call, request, ...options });
    return { answer, drop: () => say({ id, cancel: true }) };
  }

  call<T>(call: string, request: object, options: CallOptions = {}): Promise<T> {
    return this.start<T>(call, request, options).answer;
  }

  /** As a host that loses its power: nobody says goodbye. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill();
      await once(this.#child, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
