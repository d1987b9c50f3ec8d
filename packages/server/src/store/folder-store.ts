/** The store in a folder: `blobs/ab/abcd…`, and `parts/UPLOAD/OFFSET` for uploads on their way. Its owner alone reads it. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  access,
  constants,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LanistaError } from "@lanista/api/errors";
import { v7 as uuid } from "uuid";
import { checkDigest, missing, verified } from "./checks.ts";
import type { BlobStore } from "./store.ts";

/** Makes the folder. Several servers may share it. */
export async function openFolderStore(folder: string): Promise<BlobStore> {
  await mkdir(join(folder, "blobs"), { recursive: true, mode: 0o700 });
  await mkdir(join(folder, "parts"), { recursive: true, mode: 0o700 });
  await mkdir(join(folder, "making"), { recursive: true, mode: 0o700 });
  return new FolderStore(folder);
}

class FolderStore implements BlobStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  #path(digest: string): string {
    checkDigest(digest);
    return join(this.#folder, "blobs", digest.slice(0, 2), digest);
  }

  async put(bytes: Uint8Array): Promise<{ digest: string; size: number }> {
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (!(await this.touch(digest)))
      await this.#keep(digest, (file) => writeFile(file, bytes, { flush: true, mode: 0o600 }));
    return { digest, size: bytes.byteLength };
  }

  async putStream(from: AsyncIterable<Uint8Array>, expected: { digest: string; size: number }): Promise<void> {
    await this.#keep(expected.digest, async (path) => {
      // Opened first: a stream that failed while its file was still being opened would leave the file behind.
      const file = await open(path, "wx", 0o600);
      await pipeline(verified(from, expected), file.createWriteStream({ flush: true }));
    });
  }

  /** A blob appears under its name by one rename, when all of it is on the disk. */
  async #keep(digest: string, write: (file: string) => Promise<void>): Promise<void> {
    const path = this.#path(digest);
    const making = join(this.#folder, "making", uuid());
    try {
      await write(making);
      await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
      await rename(making, path);
    } catch (error) {
      await rm(making, { force: true });
      throw error;
    }
    const folder = await open(join(path, ".."));
    await folder.sync().finally(() => folder.close());
  }

  async has(digest: string): Promise<boolean> {
    return await access(this.#path(digest)).then(
      () => true,
      () => false,
    );
  }

  async get(digest: string): Promise<Uint8Array> {
    return await readFile(this.#path(digest)).catch((error) => missing(error, digest));
  }

  async open(digest: string): Promise<Readable> {
    const file = await open(this.#path(digest)).catch((error) => missing(error, digest));
    return createReadStream("", { fd: file });
  }

  async delete(digest: string): Promise<void> {
    await rm(this.#path(digest), { force: true });
  }

  async touch(digest: string): Promise<boolean> {
    const now = new Date();
    try {
      await utimes(this.#path(digest), now, now);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return false;
      throw error;
    }
  }

  async deleteOlder(digest: string, seconds: number): Promise<boolean> {
    const { mtimeMs } = await stat(this.#path(digest)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs < seconds * 1000) return false;
    await this.delete(digest);
    return true;
  }

  async *list(): AsyncIterable<string> {
    for (const folder of await readdir(join(this.#folder, "blobs")))
      yield* await readdir(join(this.#folder, "blobs", folder));
  }

  #parts(upload: string): string {
    if (!/^[0-9a-f-]{36}$/.test(upload)) throw new LanistaError("invalid", "an upload's id is a UUID");
    return join(this.#folder, "parts", upload);
  }

  async putPart(upload: string, offset: number, bytes: Uint8Array): Promise<void> {
    const folder = this.#parts(upload);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, String(offset).padStart(16, "0"));
    await writeFile(`${path}.making`, bytes, { flush: true, mode: 0o600 });
    await rename(`${path}.making`, path);
  }

  async *parts(upload: string): AsyncIterable<Uint8Array> {
    const folder = this.#parts(upload);
    const names = await readdir(folder).catch((error) => missing(error, upload));
    for (const name of names.filter((each) => !each.endsWith(".making")).sort()) yield readFile(join(folder, name));
  }

  async deleteParts(upload: string): Promise<void> {
    await rm(this.#parts(upload), { recursive: true, force: true });
  }

  async check(): Promise<void> {
    await access(join(this.#folder, "making"), constants.W_OK);
  }
}
