import { readReplayFile } from "@lanista/arena/replay-file";
import { type Replay, ReplayError } from "@lanista/games/replay-types";
import { UsageError } from "./usage-error.ts";

/** Throws UsageError, with the file's name in front, on a file that cannot be read or is no whole replay. */
export async function readReplay(file: string): Promise<Replay> {
  try {
    return await readReplayFile(file);
  } catch (error) {
    if (error instanceof ReplayError) throw new UsageError(`${file} is no whole replay: ${error.message}`);
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new UsageError(`there is no file ${file}`);
    if (code !== undefined) throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
    throw error;
  }
}
