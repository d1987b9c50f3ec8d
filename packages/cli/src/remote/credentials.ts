/**
 * Which server, and as whom: `--server` and `--token`, then LANISTA_SERVER and LANISTA_TOKEN, then what `lanista login` kept
 * in a file that its owner alone can read.
 */
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

const kept = z.strictObject({
  server: z.url(),
  token: z.string(),
  tokenId: z.string(),
  email: z.string(),
});
export type Kept = z.infer<typeof kept>;

export const DEFAULT_SERVER = "http://localhost:8080";

function file({ environment }: Terminal): string {
  const config = environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), ".config");
  return join(config, "lanista", "credentials.json");
}

export async function readKept(terminal: Terminal): Promise<Kept | null> {
  const path = file(terminal);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    return kept.parse(JSON.parse(text));
  } catch (error) {
    throw new UsageError(`${path} is not as lanista login wrote it: log in again, or remove it`, { cause: error });
  }
}

/** Where they were written. */
export async function keep(terminal: Terminal, value: Kept): Promise<string> {
  const path = file(terminal);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
  await chmod(`${path}.new`, 0o600);
  await rename(`${path}.new`, path);
  return path;
}

export async function forget(terminal: Terminal): Promise<void> {
  await rm(file(terminal), { force: true });
}
