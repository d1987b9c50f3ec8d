/**
 * Boxes for agents: one specification for each language, so that a box can be warm before it is known whose it will be;
 * the agent's files come when it is taken.
 */
import { join } from "node:path";
import type { SandboxHost } from "@lanista/sandbox/host";
import { SandboxPool } from "@lanista/sandbox/pool";
import type { GiveUp, Limits, Runtime, Sandbox, SandboxSpec, Tier } from "@lanista/sandbox/types";
import { type AgentCommand, type Interpreters, imageCommand, languageCommand } from "./agents/command.ts";
import { copyIn } from "./agents/copy-in.ts";
import type { AgentLanguage, PreparedAgent } from "./agents/types.ts";
import type { Contender } from "./contender.ts";

export interface AgentBoxesOptions {
  readonly tier: Tier;
  readonly runtime?: Runtime;
  readonly limits?: Partial<Limits>;
  readonly giveUp?: readonly GiveUp[];
  readonly interpreters: Interpreters;
  /**
   * The root of the boxes of agents in Python, and of executables, in the place of the tier's own. Python, or for an
   * executable a shell, has to be in it. JavaScript stays on the tier's own.
   */
  readonly image?: string;
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

  /** `image`: its root, in the place of the one that all have. Throws InterpreterMissingError. */
  contender(agent: PreparedAgent, image = this.#options.image): Contender {
    const { interpreters, guestDir } = this.#options;
    const root = agent.language === "javascript" ? undefined : image;
    const command =
      root !== undefined && agent.language === "python"
        ? imageCommand(guestDir)
        : languageCommand(agent.language, interpreters, guestDir);
    return {
      name: agent.name,
      digest: agent.digest,
      entry: agent.entry,
      open: () => this.#open(agent, command, root),
    };
  }

  /** An agent whose files are part of an image, which is the root of its box; Python has to be in it, too. */
  imageContender(name: string, image: string): Contender {
    const { guestDir } = this.#options;
    const command = imageCommand(guestDir);
    const dir = join(guestDir, "python", "image-agent");
    return {
      name,
      // What a reference means may change from one box to the next.
      digest: null,
      entry: "agent.py",
      open: async () => fill(await this.#host.start({ ...this.#spec(command), root: { image } }), { dir, bytes: 0 }),
    };
  }

  async #open(agent: PreparedAgent, command: AgentCommand, image?: string): Promise<Sandbox> {
    const box =
      image === undefined
        ? await this.#take(agent.language, command)
        : await this.#host.start({ ...this.#spec(command), root: { image } });
    const sandbox = await fill(box, agent);
    if (command.preface !== "") sandbox.stdin.write(command.preface);
    return sandbox;
  }

  #spec(command: AgentCommand): SandboxSpec {
    const { tier, runtime, limits, giveUp } = this.#options;
    return {
      tier,
      ...(runtime === undefined ? {} : { runtime }),
      ...(giveUp === undefined ? {} : { giveUp }),
      argv: command.argv,
      env: command.env,
      mounts: command.mounts,
      limits: { wallSeconds: DAY, cpuSeconds: DAY, ...limits },
    };
  }

  #take(language: AgentLanguage, command: AgentCommand): Promise<Sandbox> {
    const { warm = 0 } = this.#options;
    const spec = this.#spec(command);
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
    const closed = await Promise.allSettled([...this.#pools.values()].map((pool) => pool.close()));
    for (const one of closed) if (one.status === "rejected") throw one.reason;
  }
}

/** Gives a box the agent's files, or ends it. */
async function fill(sandbox: Sandbox, agent: Pick<PreparedAgent, "dir" | "bytes">): Promise<Sandbox> {
  try {
    await copyIn(agent, sandbox.agentDir);
    return sandbox;
  } catch (error) {
    sandbox.kill("its agent's files could not be copied");
    await sandbox.ended;
    throw error;
  }
}
