/**
 * Boxes for agents: one specification for each language, so that a box can be warm before it is known whose it will be;
 * the agent's files come when it is taken.
 */
import { join } from "node:path";
import type { SandboxHost } from "@lanista/sandbox/host";
import { SandboxPool } from "@lanista/sandbox/pool";
import type { GiveUp, Limits, ReadOnlyMount, Runtime, Sandbox, SandboxSpec, Tier } from "@lanista/sandbox/types";
import { type AgentCommand, type Interpreters, imageCommand, languageCommand } from "./agents/command.ts";
import { copyIn } from "./agents/copy-in.ts";
import type { AgentLanguage, PreparedAgent } from "./agents/types.ts";
import type { Contender } from "./contender.ts";

export interface AgentBoxesOptions {
  readonly tier: Tier;
  readonly runtime?: Runtime;
  readonly limits?: Partial<Limits>;
  readonly giveUp?: readonly GiveUp[];
  /** GPUs that every agent is given; a task's judge is not. */
  readonly gpus?: readonly string[];
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

/** What a task adds to the boxes of those it grades, and of its judge. */
export interface BoxExtras {
  /** Python packages, in the place of the interpreter's own: a PackageSet has this shape. */
  readonly packages?: PackagesInBox;
  /** A host folder of files to read, at FILES_DIR. */
  readonly files?: string;
  readonly limits?: Partial<Limits>;
  /** In the place of the GPUs that all have. */
  readonly gpus?: readonly string[];
}

export interface PackagesInBox {
  readonly mounts: readonly ReadOnlyMount[];
  /** The interpreter that finds them, as a path in the box. */
  readonly python: string;
}

/** Where a box shows the files that its task lets it read; the variable says it too, and in the tier `none` something else. */
export const FILES_DIR = "/task";
export const FILES_VARIABLE = "LANISTA_TASK_FILES";

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

  /** The host's folder of runners. */
  get guestDir(): string {
    return this.#options.guestDir;
  }

  /** `image`: its root, in the place of the one that all have. Throws InterpreterMissingError. */
  contender(agent: PreparedAgent, image = this.#options.image, extras: BoxExtras = {}): Contender {
    const { guestDir } = this.#options;
    const root = agent.language === "javascript" || extras.packages !== undefined ? undefined : image;
    const command =
      root !== undefined && agent.language === "python"
        ? imageCommand(guestDir)
        : languageCommand(agent.language, this.#interpreters(extras), guestDir);
    return {
      name: agent.name,
      digest: agent.digest,
      entry: agent.entry,
      open: () => this.#open(agent, command, root, extras),
    };
  }

  /** A task's judge: to the boxes a program like others, with another runner. Throws InterpreterMissingError. */
  judge(program: PreparedAgent, extras: BoxExtras = {}): Contender {
    const command = languageCommand(program.language, this.#interpreters(extras), this.#options.guestDir, "judge");
    const { name, digest, entry } = program;
    const own = { limits: {}, ...extras, gpus: [] };
    return { name, digest, entry, open: () => this.#open(program, command, undefined, own) };
  }

  #interpreters({ packages }: BoxExtras): Interpreters {
    const { interpreters } = this.#options;
    if (packages === undefined) return interpreters;
    // What the packages' own interpreter is a link to may lie in a folder of its own.
    const mounts = [...(interpreters.python?.mounts ?? []), ...packages.mounts];
    const targets = new Set<string>();
    const once = mounts.filter(({ target }) => !targets.has(target) && targets.add(target));
    return { ...interpreters, python: { path: packages.python, mounts: once } };
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

  async #open(
    agent: PreparedAgent,
    command: AgentCommand,
    image: string | undefined,
    extras: BoxExtras,
  ): Promise<Sandbox> {
    const plain = image === undefined && Object.values(extras).every((extra) => extra === undefined);
    const box = plain
      ? await this.#take(agent.language, command)
      : await this.#host.start({
          ...this.#spec(command, extras),
          ...(image === undefined ? {} : { root: { image } }),
        });
    const sandbox = await fill(box, agent);
    if (command.preface !== "") sandbox.stdin.write(command.preface);
    return sandbox;
  }

  #spec(command: AgentCommand, { files, limits: own, gpus = this.#options.gpus }: BoxExtras = {}): SandboxSpec {
    const { tier, runtime, limits, giveUp } = this.#options;
    // The tier none has no root to show them in.
    const shown = tier === "none" ? files : FILES_DIR;
    return {
      tier,
      ...(runtime === undefined ? {} : { runtime }),
      ...(giveUp === undefined ? {} : { giveUp }),
      ...(gpus === undefined ? {} : { gpus }),
      argv: command.argv,
      env: files === undefined ? command.env : { ...command.env, [FILES_VARIABLE]: shown! },
      mounts: files === undefined ? command.mounts : [...command.mounts, { source: files, target: FILES_DIR }],
      limits: { wallSeconds: DAY, cpuSeconds: DAY, ...limits, ...own },
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
