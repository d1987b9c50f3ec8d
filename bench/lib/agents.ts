/** One Python agent, started bare and in boxes. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { AgentBoxes } from "@lanista/arena/agent-boxes";
import { type AgentCommand, GUEST_DIR, languageCommand } from "@lanista/arena/agents/command";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import type { PreparedAgent } from "@lanista/arena/agents/types";
import type { Contender } from "@lanista/arena/contender";
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython, type Interpreter } from "@lanista/sandbox/interpreters";
import { findExecutable } from "@lanista/sandbox/runtimes";
import type { Runtime } from "@lanista/sandbox/types";

const guestDir = join(import.meta.dirname, "..", "..", "guest");

export type BareProcess = ChildProcessByStdio<Writable, Readable, null>;

/** Why the runtime cannot be measured here, or undefined if it can. */
export function missing(runtime: Runtime): string | undefined {
  return findExecutable(runtime as never) === undefined ? `${runtime} is not installed` : undefined;
}

export class Agents {
  readonly host: SandboxHost;
  readonly python: Interpreter;
  readonly #boxes: AgentBoxes[] = [];

  private constructor(host: SandboxHost, python: Interpreter) {
    this.host = host;
    this.python = python;
  }

  static async open(): Promise<Agents> {
    return new Agents(await SandboxHost.open(), await findPython(process.env.BENCH_PYTHON));
  }

  /** A file of agents/, taken in. */
  prepare(name: string): Promise<PreparedAgent> {
    return prepareAgent(join(import.meta.dirname, "..", "agents", name), {
      workDir: join(this.host.workDir, "agents"),
    });
  }

  get command(): AgentCommand {
    return languageCommand("python", { python: this.python }, guestDir);
  }

  /** The runner as a match starts it, in a process of this user's with nothing around it. */
  bare(): BareProcess {
    const { argv, env } = this.command;
    return this.spawn(
      argv.map((word) => (word.startsWith(GUEST_DIR) ? guestDir + word.slice(GUEST_DIR.length) : word)),
      env,
    );
  }

  spawn(argv: readonly string[], env: Readonly<Record<string, string>>): BareProcess {
    return spawn(argv[0]!, argv.slice(1), { env, stdio: ["pipe", "pipe", "ignore"] });
  }

  /** The agent in fresh boxes of a runtime, or in warm ones. */
  contender(agent: PreparedAgent, runtime: Runtime, warm = 0): Contender {
    const boxes = new AgentBoxes(this.host, {
      tier: runtime === "runsc" ? "gvisor" : "container",
      runtime,
      // gVisor keeps processes inside its own kernel, where the limit does not reach.
      ...(runtime === "runsc" ? { giveUp: ["pids"] as const } : {}),
      interpreters: { python: this.python },
      guestDir,
      warm,
    });
    this.#boxes.push(boxes);
    return boxes.contender(agent);
  }

  async close(): Promise<void> {
    for (const boxes of this.#boxes) await boxes.close();
    await this.host.close();
  }
}
