import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { quote } from "./tree.ts";
import { BundleError } from "./types.ts";

/** Counts down over all files of a bundle, so that no file can be larger than was said of it. */
export interface Budget {
  bytes: number;
}

/**
 * Writes one file of a bundle below `dir`, folders first. It must not exist: what was admitted once is written once.
 * Takes what it writes off the budget and throws a BundleError when that is used up.
 */
export async function writeFileBelow(
  dir: string,
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  budget: Budget,
): Promise<void> {
  const target = join(dir, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(target, flags, 0o644);
  try {
    for await (const chunk of chunks) {
      budget.bytes -= chunk.byteLength;
      if (budget.bytes < 0)
        throw new BundleError(
          "too_large",
          `${quote(path)} takes the agent's files over their bound in bytes; leave out what it does not need to play`,
        );
      await file.appendFile(chunk); // unlike write, it goes on after a part
    }
    await file.chmod(path === "run" ? 0o755 : 0o644);
  } finally {
    await file.close();
  }
}
