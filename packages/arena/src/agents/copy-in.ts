import { copyFileSync, readdirSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { PreparedAgent } from "./types.ts";

/** Up to here an agent's files are copied at once, which takes Node a tenth of the time of doing it in steps. */
const FEW_FILES = 16;
const FEW_BYTES = 1024 * 1024;

/** Copies an agent's files, mode and all, into a folder that is there and empty. Throws what the file system throws. */
export async function copyIn(agent: Pick<PreparedAgent, "dir" | "bytes">, folder: string): Promise<void> {
  const entries = readdirSync(agent.dir, { withFileTypes: true });
  const few = agent.bytes <= FEW_BYTES && entries.length <= FEW_FILES && entries.every((entry) => entry.isFile());
  if (few) for (const { name } of entries) copyFileSync(join(agent.dir, name), join(folder, name));
  else await cp(agent.dir, folder, { recursive: true, preserveTimestamps: false });
}
