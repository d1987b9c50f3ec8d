import { resolve } from "node:path";
import { writeReplayFile } from "@lanista/arena/replay-file";
import type { Context } from "../context.ts";
import type { RemoteOptions } from "../remote/options.ts";
import { writeJson, writeLine } from "../terminal.ts";
import { bytesText } from "../units.ts";
import { UsageError } from "../usage-error.ts";

/** The file is written once all of it is here: a cut leaves none. */
export async function replayFetch(
  context: Context,
  matchId: string,
  options: RemoteOptions & { readonly output?: string },
): Promise<void> {
  const { terminal, signal } = context;
  // The other commands of replays need no server, nor wait for what speaks to one.
  const { remote } = await import("../remote/remote.ts");
  const client = await remote(context, options);
  const pieces: string[] = [];
  for await (const { text } of client.replays.getReplay({ matchId }, { signal })) pieces.push(text);
  const text = pieces.join("");
  const file = resolve(options.output ?? `${matchId}.jsonl`);
  await writeReplayFile(file, text).catch((error: unknown) => {
    throw new UsageError(`the replay cannot be written: ${(error as Error).message}`, { cause: error });
  });
  const bytes = Buffer.byteLength(text);
  if (options.json) writeJson(terminal, { match: matchId, file, bytes });
  else writeLine(terminal, `Wrote ${file} (${bytesText(bytes)}).`);
}
