/** Replays on disk: text, or gzipped if the name ends in .gz. Read with bounds, for they come from anybody. */
import { constants } from "node:fs";
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

/** All bytes of a regular file of at most so many: what grows meanwhile, or never ends, is refused too. */
async function readBounded(path: string, most: number): Promise<Buffer> {
  // Without O_NONBLOCK, opening a FIFO waits for somebody to write into it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new ReplayError(0, "not a regular file");
    if (stat.size > most) throw new ReplayError(0, `larger than ${most} bytes`);
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of file.createReadStream({ autoClose: false, end: most })) {
      parts.push(part);
      size += part.length;
    }
    if (size > most) throw new ReplayError(0, `larger than ${most} bytes`);
    return Buffer.concat(parts, size);
  } finally {
    await file.close();
  }
}

/** The text of a replay of at most so many bytes, unpacked. Throws ReplayError on what is no file, too large, not gzip or not UTF-8, and what the file system throws. */
export async function readReplayText(path: string, most = MAX_REPLAY): Promise<string> {
  let bytes = await readBounded(path, most);
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
