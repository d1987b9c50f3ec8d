import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { type Entry, fromFdPromise, type ZipFile } from "yauzl";
import { type Guards, guarded } from "./guards.ts";
import { BundleTree, isJunk, quote } from "./tree.ts";
import { BundleError, type BundleLimits } from "./types.ts";
import { writeFileBelow } from "./write-file.ts";

interface PlannedFile {
  readonly path: string;
  readonly entry: Entry;
}

/**
 * Unpacks a zip into `dir`, which exists and is empty. The whole directory of the archive is read and checked first;
 * only then is a byte written. Archives within it stay the files they are. Returns the relative paths of the files.
 * Throws BundleError; `dir` may then be half full.
 */
export async function unzip(
  archive: string,
  dir: string,
  limits: BundleLimits,
  guards: Guards = guarded,
): Promise<string[]> {
  const file = await open(archive, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new BundleError("unsupported", `${quote(archive)} is not a plain file`);
    if (stat.size > limits.archiveBytes)
      throw new BundleError(
        "too_large",
        `the archive is over ${limits.archiveBytes} bytes; leave out what the agent does not need to play`,
      );
    // Raw names: yauzl's own decoding repairs some of what is refused here. It closes nothing, so that we always do.
    const options = { autoClose: false, decodeStrings: false, validateEntrySizes: guards.has("sizes") };
    const zip = await fromFdPromise(file.fd, options).catch(corrupt);
    const files = await plan(zip, limits, guards);
    const budget = { bytes: limits.totalBytes };
    for (const { path, entry } of files) await extract(zip, path, entry, dir, budget, guards);
    return files.map(({ path }) => path);
  } finally {
    await file.close();
  }
}

async function plan(zip: ZipFile, limits: BundleLimits, guards: Guards): Promise<PlannedFile[]> {
  const files: PlannedFile[] = [];
  const ranges: { start: number; end: number; path: string }[] = [];
  const tree = new BundleTree(limits, guards);
  if (zip.entryCount > limits.entries)
    throw new BundleError(
      "too_large",
      `the archive has over ${limits.entries} entries; leave out what the agent does not need to play`,
    );
  const entries = zip.eachEntry();
  for (;;) {
    const next = await entries.next().catch(corrupt);
    if (next.done === true) break;
    const entry = next.value;
    const name = decodeName(entry.fileNameRaw, guards);
    const folder = name.endsWith("/");
    const path = folder ? name.slice(0, -1) : name;
    checkKind(entry, path, folder, guards);
    tree.add(path, folder, entry.uncompressedSize);
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true }).catch(corrupt);
    ranges.push({ start: entry.relativeOffsetOfLocalHeader, end: fileDataStart + entry.compressedSize, path });
    if (!folder && !isJunk(path)) files.push({ path, entry });
  }
  if (guards.has("overlap")) refuseOverlaps(ranges);
  return files;
}

/** UTF-8 whatever the archive's flag says: many tools write it without setting the flag. */
function decodeName(raw: Buffer, guards: Guards): string {
  try {
    return new TextDecoder("utf-8", { fatal: guards.has("utf8"), ignoreBOM: true }).decode(raw);
  } catch {
    throw new BundleError(
      "unsafe_name",
      `the archive has a name that is not UTF-8 (${quote(raw.toString("latin1"))}); rename it or pack it with another tool`,
    );
  }
}

const FORMAT = 0o170000;
const FOLDER = 0o040000;
const PLAIN = 0o100000;
const LINK = 0o120000;
/** PKWARE's Unix extra field; behind twelve bytes of times and owner it names what a link points at. */
const UNIX_EXTRA = 0x000d;

function checkKind(entry: Entry, path: string, folder: boolean, guards: Guards): void {
  const format = (entry.externalFileAttributes >>> 16) & FORMAT;
  const linked = entry.extraFields.some(({ id, data }) => id === UNIX_EXTRA && data.length > 12);
  if (guards.has("link") && (format === LINK || linked))
    throw new BundleError("unsafe_entry", `${quote(path)} is a link; put a copy of the file in its place`);
  if (guards.has("special") && ![0, FOLDER, PLAIN, LINK].includes(format))
    throw new BundleError("unsafe_entry", `${quote(path)} is a device, pipe or socket; leave it out`);
  if (guards.has("special") && (folder ? entry.uncompressedSize > 0 || format === PLAIN : format === FOLDER))
    throw new BundleError("corrupt", `${quote(path)} is said to be a file and a folder; pack the agent again`);
  if (guards.has("encrypted") && entry.isEncrypted())
    throw new BundleError("encrypted", `${quote(path)} is encrypted; pack the agent without a password`);
  if (!entry.isEncrypted() && !entry.canDecodeFileData())
    throw new BundleError(
      "corrupt",
      `${quote(path)} is packed by method ${entry.compressionMethod}; pack the agent with deflate, the usual one`,
    );
}

/** Entries that share bytes give much output for little input, and no honest tool writes them. */
function refuseOverlaps(ranges: { start: number; end: number; path: string }[]): void {
  ranges.sort((a, b) => a.start - b.start);
  for (let i = 1; i < ranges.length; i++)
    if (ranges[i]!.start < ranges[i - 1]!.end)
      throw new BundleError(
        "corrupt",
        `${quote(ranges[i]!.path)} and ${quote(ranges[i - 1]!.path)} share bytes of the archive; pack the agent again`,
      );
}

async function extract(
  zip: ZipFile,
  path: string,
  entry: Entry,
  dir: string,
  budget: { bytes: number },
  guards: Guards,
): Promise<void> {
  let sum = 0;
  let size = 0;
  // The stream is opened when the file to write to is there: an error nobody listens for yet would end this process.
  async function* checked(): AsyncIterable<Uint8Array> {
    const stream = await zip.openReadStreamPromise(entry).catch(corrupt);
    // yauzl emits some errors once more after its stream was destroyed.
    stream.on("error", () => {});
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        sum = crc32(chunk, sum);
        size += chunk.length;
        yield chunk;
      }
    } catch (error) {
      corrupt(error);
    } finally {
      stream.destroy();
    }
  }
  await writeFileBelow(dir, path, checked(), budget);
  if (guards.has("sizes") && (sum !== entry.crc32 || size !== entry.uncompressedSize))
    throw new BundleError("corrupt", `${quote(path)} is damaged: its size or checksum is not what the archive says`);
}

function corrupt(error: unknown): never {
  // A disk or descriptor that fails is ours to answer for, and comes with a system error's code.
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== undefined && !code.startsWith("Z_")) throw error;
  throw new BundleError(
    "corrupt",
    `the archive cannot be read: ${error instanceof Error ? error.message : String(error)}; pack the agent again`,
    { cause: error },
  );
}
