import type { Run } from "./runner.ts";

/** The run's devices, in what its boxes are to have. Throws where they are fewer than its task asks for: it does not run without. */
export function jobGpus({ gpus }: Pick<Run, "gpus">, over: { readonly gpus?: number | undefined }): readonly string[] {
  const { gpus: wanted = 0 } = over;
  if (gpus.length < wanted) throw new Error(`the task asks for ${wanted} GPUs, and its job was given ${gpus.length}`);
  return gpus;
}
