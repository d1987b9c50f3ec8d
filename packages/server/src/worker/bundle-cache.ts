/**
 * Bundles by their digest, on disk. A file gets its name when its bytes were seen to have the digest, so a half one is never
 * found under it; it is looked at again when it is taken, for a disk that lies would be held against an agent. Several
 * workers may share the folder: whoever takes a bundle gets a link of his own, which no clearing up takes away.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

/** The bundle's bytes, in pieces. */
export type FetchBytes = (signal: AbortSignal) => AsyncIterable<Uint8Array>;

const DIGEST = /^[0-9a-f]{64}$/;
/** A half file of a killed worker is this old before it is taken for one. */
const STALE_MS = 6 * 3600 * 1000;

export class BundleCache {
  readonly #dir: string;
  readonly #mostBytes: number;
  readonly #fetches = new Map<string, Promise<void>>();
  #made: Promise<void> | undefined;

  /** Bytes are counted when something was fetched: the oldest go first. The folder is made where missing. */
  constructor(dir: string, mostBytes: number) {
    this.#dir = dir;
    this.#mostBytes = mostBytes;
  }

  /**
   * Puts the bundle at `target`, which must not be there. One that is not here is fetched, once for all who ask at a time.
   * Throws what `fetch` does, an Error where the bytes are not the digest's, and what the file system throws.
   */
  async take(digest: string, target: string, fetch: FetchBytes, signal: AbortSignal): Promise<void> {
    if (!DIGEST.test(digest)) throw new Error(`${digest} is no digest`);
    this.#made ??= this.#make();
    await this.#made;
    const path = join(this.#dir, digest);
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      if (!(await exists(path))) await this.#fetched(digest, path, fetch, signal);
      try {
        await linkOrCopy(path, target);
      } catch (error) {
        // Another worker made room just now.
        if ((error as NodeJS.ErrnoException).code === "ENOENT" && attempt < 5) continue;
        throw error;
      }
      if ((await digestOf(target)) === digest) break;
      await rm(target, { force: true });
      await rm(path, { force: true });
      if (attempt >= 2) throw new Error(`the bundle ${digest} does not stay on this disk as it was written`);
    }
    const now = new Date();
    await utimes(path, now, now).catch(() => {});
  }

  async #make(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#dir)) {
      if (!name.endsWith(".part")) continue;
      const path = join(this.#dir, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > STALE_MS) await rm(path, { force: true });
    }
  }

  /** Whoever comes second waits for the first; if that one was stopped, he fetches himself. */
  async #fetched(digest: string, path: string, fetch: FetchBytes, signal: AbortSignal): Promise<void> {
    for (;;) {
      const running = this.#fetches.get(digest);
      if (running === undefined) break;
      await Promise.race([running.catch(() => {}), aborted(signal)]);
      signal.throwIfAborted();
      if (await exists(path)) return;
    }
    const mine = this.#fetch(digest, path, fetch, signal);
    this.#fetches.set(digest, mine);
    try {
      await mine;
    } finally {
      this.#fetches.delete(digest);
    }
  }

  async #fetch(digest: string, path: string, fetch: FetchBytes, signal: AbortSignal): Promise<void> {
    const part = `${path}.${randomUUID()}.part`;
    try {
      const file = await open(part, "wx", 0o600);
      const hash = createHash("sha256");
      try {
        for await (const bytes of fetch(signal)) {
          hash.update(bytes);
          await file.writeFile(bytes);
        }
      } finally {
        await file.close();
      }
      signal.throwIfAborted();
      if (hash.digest("hex") !== digest) throw new Error(`the server's bytes are not those of the bundle ${digest}`);
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
    await this.#makeRoom(path);
  }

  async #makeRoom(keep: string): Promise<void> {
    const files: { path: string; bytes: number; used: number }[] = [];
    for (const name of await readdir(this.#dir)) {
      if (!DIGEST.test(name)) continue;
      const path = join(this.#dir, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined) files.push({ path, bytes: found.size, used: found.mtimeMs });
    }
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    files.sort((a, b) => a.used - b.used);
    for (const file of files) {
      if (bytes <= this.#mostBytes) return;
      if (file.path === keep) continue;
      await rm(file.path, { force: true });
      bytes -= file.bytes;
    }
  }
}

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

async function linkOrCopy(path: string, target: string): Promise<void> {
  try {
    await link(path, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another file system, or one without links.
    if (code !== "EXDEV" && code !== "EPERM" && code !== "EMLINK" && code !== "ENOTSUP") throw error;
    await copyFile(path, target);
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  return hash.digest("hex");
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
