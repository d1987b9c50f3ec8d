/** Opens what a grading needs, in order, and releases it in reverse: the host, the task's files, the agent's, the boxes. */
import { join } from "node:path";
import { AgentBoxes } from "@lanista/arena/agent-boxes";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import type { PreparedAgent } from "@lanista/arena/agents/types";
import { type PreparedTask, takeTask } from "@lanista/arena/grading/task";
import { SandboxHost } from "@lanista/sandbox/host";
import { interpretersFor } from "./arena.ts";
import { closing } from "./closing.ts";
import { GUEST_DIR } from "./places.ts";
import { arenaOptions, type BoxOptions } from "./play-options.ts";

export interface Grading {
  readonly task: PreparedTask;
  /** In the order of their paths. */
  readonly agents: readonly PreparedAgent[];
  readonly boxes: AgentBoxes;
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
      const own = cheats ? [...task.programs, { language: "python" as const }] : task.programs;
      const interpreters = await interpretersFor([...agents, ...own]);
      const limits = { memoryBytes, cpus };
      return closing(
        new AgentBoxes(host, { ...arenaOptions(options), limits, interpreters, guestDir: GUEST_DIR }),
        (boxes) => use({ task, agents, boxes }),
        onUnclosed,
      );
    },
    onUnclosed,
  );
}
