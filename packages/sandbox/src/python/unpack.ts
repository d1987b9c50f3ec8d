/**
 * Takes a built environment's files out of the archive that a build box sent. The box is hostile: only plain files, folders and
 * links that stay inside come through, with modes of ours; links are made last, so that no file can be written through one.
 */
import { closeSync, fchmodSync, futimesSync, mkdirSync, openSync, symlinkSync, writeSync } from "node:fs";
import { join, posix } from "node:path";
import { extract } from "tar-stream";
import { PackagesError } from "./packages-error.ts";

export interface UnpackBounds {
  readonly bytes: number;
  readonly entries: number;
}

export interface Unpacked {
  readonly bytes: number;
  readonly files: number;
}

const DEEPEST = 60;
const LONGEST = 1000;
/** Any file system's times reach as far. */
const LATEST = 2 ** 31 - 1;

const refuse = (why: string): PackagesError =>
  new PackagesError("requirements", `the build's files cannot be taken: ${why}`);

/** Throws on a name that is not plainly inside. */
function safeName(name: string): string {
  const bare = name.replace(/\/$/, "");
  const parts = bare.split("/");
  if (
    bare.length > LONGEST ||
    parts.length > DEEPEST ||
    bare.includes("\0") ||
    parts.some((part) => part === "" || part === "." || part === ".." || Buffer.byteLength(part) > 255)
  )
    throw refuse(`the name ${JSON.stringify(name.slice(0, 100))}`);
  return bare;
}

export interface UnpackInput {
  /** An empty folder. */
  readonly folder: string;
  readonly bounds: UnpackBounds;
  /** The interpreter, which links in bin/ may lead to. */
  readonly isInterpreter: (path: string) => boolean;
}

/** A sink for the archive's pieces. */
export class Unpacker {
  readonly #extract = extract();
  readonly #done: Promise<Unpacked>;
  #failed = false;

  constructor(input: UnpackInput) {
    this.#done = takeEntries(this.#extract, input);
    this.#done.catch(() => {
      this.#failed = true;
      this.#extract.destroy();
    });
  }

  /** Resolves when more may be written. What is wrong with the archive is told by `end`. */
  async write(piece: Buffer): Promise<void> {
    if (this.#failed || this.#extract.destroyed) return;
    if (!this.#extract.write(piece))
      await Promise.race([
        new Promise<void>((resolve) => this.#extract.once("drain", () => resolve())),
        this.#done.catch(() => {}),
      ]);
  }

  /** Throws PackagesError `requirements` for an archive that is not as it should be. */
  async end(): Promise<Unpacked> {
    this.#extract.end(Buffer.alloc(0));
    try {
      return await this.#done;
    } catch (error) {
      if (error instanceof PackagesError) throw error;
      if ((error as NodeJS.ErrnoException).syscall !== undefined)
        throw new PackagesError("infra", `keeping a build's files: ${(error as Error).message}`, { cause: error });
      throw refuse((error as Error).message);
    }
  }

  /** Gives the archive up. */
  destroy(): void {
    this.#extract.destroy();
    this.#done.catch(() => {});
  }
}

async function takeEntries(archive: ReturnType<typeof extract>, input: UnpackInput): Promise<Unpacked> {
  const { folder, bounds } = input;
  const folders = new Set<string>(["."]);
  const seen = new Set<string>();
  const links: { name: string; to: string }[] = [];
  let bytes = 0;
  let entries = 0;
  let files = 0;
  for await (const entry of archive) {
    const { header } = entry;
    if (++entries > bounds.entries) throw refuse(`more than ${bounds.entries} of them`);
    const name = safeName(header.name);
    if (seen.has(name)) throw refuse(`${name} comes twice`);
    seen.add(name);
    if (!folders.has(posix.dirname(name))) throw refuse(`${name} lies in no folder of theirs`);
    if (header.type === "directory") {
      mkdirSync(join(folder, name), { mode: 0o755 });
      folders.add(name);
    } else if (header.type === "symlink") {
      links.push({ name, to: safeLink(name, header.linkname ?? "", input) });
    } else if (header.type === "file") {
      bytes += header.size ?? 0;
      if (bytes > bounds.bytes) throw refuse(`more than ${bounds.bytes} bytes`);
      const file = openSync(join(folder, name), "wx", 0o644);
      try {
        for await (const piece of entry as AsyncIterable<Buffer>)
          for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
        // Whatever the umask says: a box's user is neither us nor of our group.
        fchmodSync(file, (header.mode ?? 0) & 0o111 ? 0o755 : 0o644);
        // Compiled modules hold their source's time, in whole seconds.
        const seconds = Math.min(Math.max(Math.trunc((header.mtime?.getTime() ?? 0) / 1000) || 0, 0), LATEST);
        futimesSync(file, seconds, seconds);
      } finally {
        closeSync(file);
      }
      files++;
    } else throw refuse(`${name} is a ${header.type}`);
    entry.resume();
  }
  for (const { name, to } of links) symlinkSync(to, join(folder, name));
  return { bytes, files };
}

function safeLink(name: string, to: string, input: UnpackInput): string {
  if (/^bin\/python[0-9.]*$/.test(name) && input.isInterpreter(to)) return to;
  const target = posix.normalize(posix.join(posix.dirname(name), to));
  if (to === "" || to.length > LONGEST || to.includes("\0") || posix.isAbsolute(to) || target.split("/")[0] === "..")
    throw refuse(`the link ${name} leads out of them`);
  return to;
}
