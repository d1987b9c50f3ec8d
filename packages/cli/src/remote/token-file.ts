import { readFile } from "node:fs/promises";
import { UsageError } from "../usage-error.ts";

/** The token in a file that holds it and nothing else. Throws UsageError. */
export async function readTokenFile(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    throw new UsageError(`the token cannot be read: ${(error as Error).message}`);
  }
}
