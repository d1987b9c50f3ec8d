/** A task's files, taken in once for all gradings by it. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type PreparedTask, takeTask } from "@lanista/arena/grading/task";
import type { Unpacked } from "./prepared-bundles.ts";

export type UnpackedTask = PreparedTask & Unpacked;

/** Throws TaskError, BundleError. */
export async function unpackTask(path: string, workDir: string): Promise<UnpackedTask> {
  const task = await takeTask(path, workDir);
  let bytes = 0;
  for (const entry of await readdir(task.dir, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return { ...task, bytes };
}
