/** A task under the limits that its course set over the bundle's own. */
import type { PreparedTask } from "@lanista/arena/grading/task";

export interface OverLimits {
  readonly caseSeconds?: number | undefined;
  readonly memoryBytes?: number | undefined;
}

export function limitedTask<T extends PreparedTask>(task: T, { caseSeconds, memoryBytes }: OverLimits): T {
  const { limits } = task.manifest;
  return {
    ...task,
    manifest: {
      ...task.manifest,
      limits: {
        ...limits,
        caseSeconds: Math.min(limits.caseSeconds, caseSeconds ?? Number.POSITIVE_INFINITY),
        memoryBytes: memoryBytes ?? limits.memoryBytes,
      },
    },
  };
}
