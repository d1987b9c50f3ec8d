/** Opens what a grading needs, in order, and releases it in reverse: the host, the task's files, the agent's, the boxes. */
import { join } from "node:path";
import { AgentBoxes } from "@lanista/arena/agent-boxes";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import type { PreparedAgent } from "@lanista/arena/agents/types";
import { EnvironmentBoxes } from "@lanista/arena/bundled/environment-boxes";
import { type PreparedTask, takeTask } from "@lanista/arena/grading/task";
import type { PackagesProvider } from "@lanista/arena/packages-provider";
import { SandboxHost } from "@lanista/sandbox/host";
import { interpretersFor } from "./arena.ts";
import { closing } from "./closing.ts";
import { LazyPackages } from "./lazy-packages.ts";
import { GUEST_DIR } from "./places.ts";
import { arenaOptions, type BoxOptions } from "./play-options.ts";

export interface Grading {
  readonly task: PreparedTask;
  /** In the order of their paths. */
  readonly agents: readonly PreparedAgent[];
  readonly boxes: AgentBoxes;
  readonly environments: EnvironmentBoxes;
  /** Python packages, built or found when they are first asked for. */
  readonly packages: PackagesProvider;
}

/**
 * Gives back what came of `use` once all is released; a release that fails is told to `onUnclosed` alone. Throws TaskError,
 * BundleError on an agent, SandboxError on what the host refuses.
 */
export async function withGrading<T>(
  path: string,
  agentPaths: readonly string[],
  options: BoxOptions,
  use: (grading: Grading) => Promise<T>,
  onUnclosed: (error: Error) => void,
): Promise<T> {
  return closing(
    await SandboxHost.open(),
    async (host) => {
      const task = await takeTask(path, join(host.workDir, "task"));
      const agents: PreparedAgent[] = [];
      for (const each of agentPaths) agents.push(await prepareAgent(each, { workDir: join(host.workDir, "agents") }));
      const { memoryBytes, cpus } = task.manifest.limits;
      // Where nobody is graded the task is checked, by cheats of ours, too.
      const cheats = agentPaths.length === 0 && task.manifest.kind !== "environment";
      const python = cheats || task.environment !== undefined;
      const own = python ? [...task.programs, { language: "python" as const }] : task.programs;
      const interpreters = await interpretersFor([...agents, ...own]);
      const limits = { memoryBytes, cpus };
      const opened = { ...arenaOptions(options), guestDir: GUEST_DIR };
      return closing(
        new LazyPackages(host, opened),
        (sets) =>
          closing(
            new AgentBoxes(host, { ...opened, limits, interpreters }),
            (boxes) => {
              const { python } = interpreters;
              const packages: PackagesProvider = (text, signal) => sets.ensure(text, signal);
              const places = { ...opened, packages, ...(python === undefined ? {} : { python }) };
              return use({ task, agents, boxes, packages, environments: new EnvironmentBoxes(host, places) });
            },
            onUnclosed,
          ),
        onUnclosed,
      );
    },
    onUnclosed,
  );
}
