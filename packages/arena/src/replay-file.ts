/** Replays on disk: text, or gzipped if the name ends in .gz. Read with bounds, for they come from anybody. */
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { parseReplay } from "@lanista/games/replay";
import { MAX_REPLAY } from "@lanista/games/replay-limits";
import { type Replay, ReplayError } from "@lanista/games/replay-types";
import { sha256 } from "./sha256.ts";

/** Writes beside and renames, so that a file of that name is always whole. Makes the folder. */
export async function writeReplayFile(path: string, text: string): Promise<void> {
  const bytes = path.endsWith(".gz") ? gzipSync(text) : Buffer.from(text);
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
  try {
    await writeFile(beside, bytes, { flag: "wx" });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** The text of a replay of at most so many bytes, unpacked. Throws ReplayError on what is too large, not gzip or not UTF-8, and what the file system throws. */
export async function readReplayText(path: string, most = MAX_REPLAY): Promise<string> {
  const file = await open(path, "r");
  let bytes: Buffer;
  try {
    const { size } = await file.stat();
    if (size > most) throw new ReplayError(0, `larger than ${most} bytes`);
    bytes = await file.readFile();
  } finally {
    await file.close();
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes, { maxOutputLength: most });
    } catch (error) {
      throw new ReplayError(0, `cannot be unpacked: ${(error as Error).message}`);
    }
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ReplayError(0, "not UTF-8");
  }
}

/** As readReplayText, parsed. */
export async function readReplayFile(path: string): Promise<Replay> {
  return parseReplay(await readReplayText(path), sha256);
}
