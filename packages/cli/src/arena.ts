/** Opens what a match needs, in order, and releases it in reverse: the host, the agents' files, the boxes. */
import { join } from "node:path";
import { AgentBoxes } from "@lanista/arena/agent-boxes";
import type { Interpreters } from "@lanista/arena/agents/command";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import type { PreparedAgent } from "@lanista/arena/agents/types";
import type { Contender } from "@lanista/arena/contender";
import { SandboxHost } from "@lanista/sandbox/host";
import { findNode, findPython } from "@lanista/sandbox/interpreters";
import type { GiveUp, Runtime, Tier } from "@lanista/sandbox/types";
import { distinctNames } from "./agent-names.ts";
import { closing } from "./closing.ts";
import { GUEST_DIR } from "./places.ts";

export interface ArenaOptions {
  readonly tier: Tier;
  readonly runtime?: Runtime;
  readonly giveUp?: readonly GiveUp[];
  readonly gpus?: readonly string[];
  /** The root of Python's boxes. */
  readonly image?: string;
}

/**
 * Gives `use` the contenders, in the order of the paths and with distinct names, and gives back what came of it once all is
 * released; a release that fails is told to `onUnclosed` alone. Throws BundleError on an agent that cannot be taken in,
 * SandboxError on what the host refuses.
 */
export async function withArena<T>(
  paths: readonly string[],
  options: ArenaOptions,
  use: (contenders: readonly Contender[], host: SandboxHost) => Promise<T>,
  onUnclosed: (error: Error) => void,
): Promise<T> {
  return closing(
    await SandboxHost.open(),
    async (host) => {
      const agents: PreparedAgent[] = [];
      for (const path of paths) agents.push(await prepareAgent(path, { workDir: join(host.workDir, "agents") }));
      const interpreters = await interpretersFor(agents);
      const names = distinctNames(agents.map(({ name }, i) => ({ path: paths[i]!, name })));
      return closing(
        new AgentBoxes(host, { ...options, interpreters, guestDir: GUEST_DIR }),
        (boxes) =>
          use(
            agents.map((agent, i) => boxes.contender({ ...agent, name: names[i]! })),
            host,
          ),
        onUnclosed,
      );
    },
    onUnclosed,
  );
}

/** Only those in use are looked for: finding one means starting it. */
export async function interpretersFor(agents: readonly Pick<PreparedAgent, "language">[]): Promise<Interpreters> {
  const used = new Set(agents.map((agent) => agent.language));
  return {
    ...(used.has("python") ? { python: await findPython() } : {}),
    ...(used.has("javascript") ? { javascript: findNode() } : {}),
  };
}
