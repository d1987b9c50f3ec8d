/**
 * The files of an image, from a folder or an archive, under the names that layouts use. Both are somebody else's: nothing is
 * opened but a plain file of a known name, and an archive is taken out into a folder of our own, within bounds.
 */
import { closeSync, constants, createReadStream, createWriteStream, fstatSync, openSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import tar from "tar-stream";
import type { z } from "zod";
import { SandboxError } from "../errors.ts";

/** Descriptions are small; a large one is no description. */
const JSON_BYTES = 4 * 1024 * 1024;

/** Of an image layout, and of what `docker save` wrote before it wrote layouts. */
const NAME =
  /^(oci-layout|index\.json|manifest\.json|blobs\/sha256\/[0-9a-f]{64}|[0-9a-f]{64}\.(json|tar)|[0-9a-f]{64}\/layer\.tar)$/;
/** There, a layer that occurs twice is a link to its first occurrence. */
const SAME_LAYER = /^\.\.\/([0-9a-f]{64}\/layer\.tar)$/;

export class ImageFiles {
  readonly #folder: string;
  readonly #same: ReadonlyMap<string, string>;

  constructor(folder: string, same: ReadonlyMap<string, string> = new Map()) {
    this.#folder = folder;
    this.#same = same;
  }

  /** Throws SandboxError `refused` where there is no such plain file. */
  open(name: string): Readable {
    const known = this.#same.get(name) ?? name;
    if (!NAME.test(known))
      throw new SandboxError("refused", `an image names a file "${name}", which is none of an image's`);
    try {
      const fd = openSync(join(this.#folder, known), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      if (fstatSync(fd).isFile()) return createReadStream("", { fd });
      closeSync(fd);
      throw new Error("it is no plain file");
    } catch (error) {
      throw new SandboxError("refused", `the image has no readable file ${name}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** The file's bytes, at most 4 MiB. Throws SandboxError `refused`. */
  async bytes(name: string): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let size = 0;
    try {
      for await (const piece of this.open(name) as AsyncIterable<Buffer>) {
        size += piece.length;
        if (size > JSON_BYTES)
          throw new SandboxError("refused", `the image's ${name} is larger than ${JSON_BYTES} bytes`);
        pieces.push(piece);
      }
    } catch (error) {
      if (error instanceof SandboxError) throw error;
      throw new SandboxError("refused", `the image's ${name} cannot be read: ${(error as Error).message}`, {
        cause: error,
      });
    }
    return Buffer.concat(pieces);
  }

  async has(name: string): Promise<boolean> {
    try {
      await (
        await open(join(this.#folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      ).close();
      return true;
    } catch {
      return false;
    }
  }
}

/** Throws SandboxError `refused` on what is no JSON, or none of this shape. */
export function parseJson<T extends z.ZodType>(schema: T, bytes: Buffer, what: string): z.infer<T> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (error) {
    throw new SandboxError("refused", `the image's ${what} is no JSON`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SandboxError(
      "refused",
      `the image's ${what} is wrong at ${issue?.path.join(".") || "its top"}: ${issue?.message}`,
    );
  }
  return parsed.data;
}

/** Takes an image's files out of a tar archive, gzip or not, into `folder`, which must be empty. */
export async function takeOut(archive: string, folder: string, mostBytes: number): Promise<ImageFiles> {
  const file = await open(archive, constants.O_RDONLY | constants.O_NONBLOCK);
  const same = new Map<string, string>();
  try {
    if (!(await file.stat()).isFile()) throw new SandboxError("refused", `${archive} is no plain file`);
    const magic = Buffer.alloc(2);
    await file.read(magic, 0, 2, 0);
    const raw = file.createReadStream({ start: 0, autoClose: false });
    const extract = tar.extract();
    const piped = magic.equals(Buffer.from([0x1f, 0x8b]))
      ? pipeline(raw, createGunzip(), extract)
      : pipeline(raw, extract);
    let bytes = 0;
    const taking = (async () => {
      for await (const entry of extract) {
        const { header } = entry;
        const name = header.name.replace(/^\.\//, "");
        const link = SAME_LAYER.exec(header.linkname ?? "")?.[1];
        if (header.type === "symlink" && NAME.test(name) && link !== undefined) same.set(name, link);
        bytes += header.size ?? 0;
        if (bytes > mostBytes) throw new SandboxError("refused", `${archive} holds more than ${mostBytes} bytes`);
        if (header.type !== "file" || !NAME.test(name)) {
          entry.resume();
          continue;
        }
        const target = join(folder, name);
        await mkdir(join(target, ".."), { recursive: true });
        // A second file of one name would make it a matter of who reads which.
        await pipeline(Readable.from(entry), createWriteStream(target, { flags: "wx" }));
      }
    })();
    await Promise.all([piped, taking]);
    return new ImageFiles(folder, same);
  } catch (error) {
    if (error instanceof SandboxError) throw error;
    throw new SandboxError("refused", `${archive} cannot be read as an archive: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    await file.close();
  }
}
