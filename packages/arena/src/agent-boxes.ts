/**
 * Boxes for agents: one specification for each language, so that a box can be warm before it is known whose it will be;
 * the agent's files come when it is taken.
 */
import type { SandboxHost } from "@lanista/sandbox/host";
import { SandboxPool } from "@lanista/sandbox/pool";
import type { GiveUp, Limits, Runtime, Sandbox, SandboxSpec, Tier } from "@lanista/sandbox/types";
import { type AgentCommand, type Interpreters, languageCommand } from "./agents/command.ts";
import { copyIn } from "./agents/copy-in.ts";
import type { AgentLanguage, PreparedAgent } from "./agents/types.ts";
import type { Contender } from "./contender.ts";

export interface AgentBoxesOptions {
  readonly tier: Tier;
  readonly runtime?: Runtime;
  readonly limits?: Partial<Limits>;
  readonly giveUp?: readonly GiveUp[];
  readonly interpreters: Interpreters;
  /** The host's folder of runners. */
  readonly guestDir: string;
  /** How many boxes of each language in use are kept warm; default none. */
  readonly warm?: number;
}

/** A seat's own clock bounds its time; these bounds are for what no clock sees, and no honest match reaches them. */
const DAY = 86_400;

export class AgentBoxes {
  readonly #host: SandboxHost;
  readonly #options: AgentBoxesOptions;
  readonly #pools = new Map<AgentLanguage, SandboxPool>();

  constructor(host: SandboxHost, options: AgentBoxesOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** Throws InterpreterMissingError. */
  contender(agent: PreparedAgent): Contender {
    const { interpreters, guestDir } = this.#options;
    const command = languageCommand(agent.language, interpreters, guestDir);
    return {
      name: agent.name,
      digest: agent.digest,
      entry: agent.entry,
      open: () => this.#open(agent, command),
    };
  }

  async #open(agent: PreparedAgent, command: AgentCommand): Promise<Sandbox> {
    const sandbox = await this.#take(agent.language, command);
    try {
      await copyIn(agent, sandbox.agentDir);
    } catch (error) {
      sandbox.kill("its agent's files could not be copied");
      await sandbox.ended;
      throw error;
    }
    if (command.preface !== "") sandbox.stdin.write(command.preface);
    return sandbox;
  }

  #take(language: AgentLanguage, command: AgentCommand): Promise<Sandbox> {
    const { tier, runtime, limits, giveUp, warm = 0 } = this.#options;
    const spec: SandboxSpec = {
      tier,
      ...(runtime === undefined ? {} : { runtime }),
      ...(giveUp === undefined ? {} : { giveUp }),
      argv: command.argv,
      env: command.env,
      mounts: command.mounts,
      limits: { wallSeconds: DAY, cpuSeconds: DAY, ...limits },
    };
    if (warm === 0) return this.#host.start(spec);
    let pool = this.#pools.get(language);
    if (pool === undefined) {
      pool = new SandboxPool(this.#host, spec, { size: warm });
      this.#pools.set(language, pool);
    }
    return pool.take();
  }

  /** Kills the warm boxes. Those of matches are theirs. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }
}
