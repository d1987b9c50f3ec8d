/** The Python packages that a task asks for, for whoever is graded and for the judge: had once, and given back at the end. */
import type { PackageSet } from "@lanista/sandbox/python/package-sets";
import type { PackagesProvider } from "../packages-provider.ts";
import type { PreparedTask } from "./task.ts";
import { TaskError } from "./task-error.ts";

export interface TaskPackages {
  readonly agent?: PackageSet;
  readonly judge?: PackageSet;
}

/** Gives `use` the packages, and releases them after. Throws TaskError on requirements that cannot be met. */
export async function withPackages<T>(
  { requirements }: PreparedTask,
  provider: PackagesProvider | undefined,
  signal: AbortSignal | undefined,
  use: (packages: TaskPackages) => Promise<T>,
): Promise<T> {
  const held: { agent?: PackageSet; judge?: PackageSet } = {};
  try {
    for (const who of ["agent", "judge"] as const) {
      const text = requirements[who];
      if (text !== undefined) held[who] = await provide(who, text, provider, signal);
    }
    return await use(held);
  } finally {
    for (const one of Object.values(held)) one.release();
  }
}

async function provide(
  who: string,
  text: string,
  provider: PackagesProvider | undefined,
  signal: AbortSignal | undefined,
): Promise<PackageSet> {
  if (provider === undefined)
    throw new TaskError(`the task names requirements.${who}, and Python packages cannot be had here`);
  try {
    return await provider(text, signal);
  } catch (error) {
    if (error instanceof Error && (error as { kind?: unknown }).kind === "requirements")
      throw new TaskError(`requirements.${who}: ${error.message}`, { cause: error });
    throw error;
  }
}
