/** Opens what a grading needs, in order, and releases it in reverse: the host, the task's files, the agent's, the boxes. */
import { join } from "node:path";
import { AgentBoxes } from "@lanista/arena/agent-boxes";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import type { PreparedAgent } from "@lanista/arena/agents/types";
import type { Contender } from "@lanista/arena/contender";
import { type PreparedTask, takeTask } from "@lanista/arena/grading/task";
import { SandboxHost } from "@lanista/sandbox/host";
import { interpretersFor } from "./arena.ts";
import { GUEST_DIR } from "./places.ts";
import { arenaOptions, type BoxOptions } from "./play-options.ts";

export interface Grading {
  readonly task: PreparedTask;
  /** As the paths given. */
  readonly agents: readonly PreparedAgent[];
  readonly contender: (agent: PreparedAgent) => Contender;
  close(): Promise<void>;
}

/** Throws TaskError, BundleError on an agent, SandboxError on what the host refuses. Then nothing is left. */
export async function openGrading(path: string, agentPaths: readonly string[], options: BoxOptions): Promise<Grading> {
  const host = await SandboxHost.open();
  try {
    const task = await takeTask(path, join(host.workDir, "task"));
    const agents: PreparedAgent[] = [];
    for (const each of agentPaths) agents.push(await prepareAgent(each, { workDir: join(host.workDir, "agents") }));
    const { memoryBytes, cpus } = task.manifest.limits;
    const own = [task.reference, task.cheat, ...task.cases.flatMap((one) => one.opponentAgents)];
    const boxes = new AgentBoxes(host, {
      ...arenaOptions(options),
      limits: { memoryBytes, cpus },
      interpreters: await interpretersFor([...agents, ...own.filter((agent) => agent !== undefined)]),
      guestDir: GUEST_DIR,
    });
    return {
      task,
      agents,
      contender: (agent) => boxes.contender(agent),
      async close() {
        try {
          await boxes.close();
        } finally {
          await host.close();
        }
      },
    };
  } catch (error) {
    await host.close();
    throw error;
  }
}
