/**
 * Copies an image's layers, uncompressed, into a layout of our own, and looks through each on the way: digests are those the
 * image names, sizes and counts stay within bounds. What umoci then unpacks are these bytes, so that nobody can change them
 * in between, and a small file that grows without end is never unpacked.
 */
import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import tar from "tar-stream";
import { SandboxError } from "../errors.ts";
import type { Image, Layer } from "./image.ts";
import type { ImageFiles } from "./image-files.ts";

export interface ImageBounds {
  /** Of all layers together, uncompressed. */
  readonly bytes: number;
  /** Files, folders and links of all layers together. */
  readonly entries: number;
}

export const TAG = "box";

const TYPES = ["file", "contiguous-file", "directory", "symlink", "link", "character-device", "block-device", "fifo"];

class Budget {
  readonly #bounds: ImageBounds;
  #bytes = 0;
  #entries = 0;

  constructor(bounds: ImageBounds) {
    this.#bounds = bounds;
  }

  bytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.#bounds.bytes)
      throw new SandboxError("refused", `the image's layers hold more than ${this.#bounds.bytes} bytes`);
  }

  entry(): void {
    if (++this.#entries > this.#bounds.entries)
      throw new SandboxError("refused", `the image's layers hold more than ${this.#bounds.entries} files`);
  }
}

/** Throws SandboxError `refused` on an image that is not what it says, or is too large. */
export async function copyLayers(files: ImageFiles, image: Image, layout: string, bounds: ImageBounds): Promise<void> {
  const blobs = join(layout, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const budget = new Budget(bounds);
  const layers: { digest: string; size: number }[] = [];
  for (const layer of image.layers)
    layers.push({ digest: layer.diffId, size: await copyLayer(files, layer, blobs, budget) });
  const put = async (value: object): Promise<{ digest: string; size: number }> => {
    const text = JSON.stringify(value);
    const digest = createHash("sha256").update(text).digest("hex");
    await writeFile(join(blobs, digest), text);
    return { digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
  };
  const config = await put({
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => `sha256:${digest}`) },
    history: [],
  });
  const manifest = await put({
    schemaVersion: 2,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: layers.map(({ digest, size }) => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest: `sha256:${digest}`,
      size,
    })),
  });
  await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const annotations = { "org.opencontainers.image.ref.name": TAG };
  const entry = { mediaType: "application/vnd.oci.image.manifest.v1+json", ...manifest, annotations };
  await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
}

/** Returns its size in bytes, uncompressed. */
async function copyLayer(files: ImageFiles, layer: Layer, blobs: string, budget: Budget): Promise<number> {
  const stored = createHash("sha256");
  const plain = createHash("sha256");
  const scan = new Scan(plain, budget);
  const source = files.open(layer.file);
  const expand =
    layer.compression === "gzip" ? [createGunzip()] : layer.compression === "zstd" ? [createZstdDecompress()] : [];
  try {
    await pipeline([
      source,
      tap((piece) => void stored.update(piece)),
      ...expand,
      scan,
      createWriteStream(join(blobs, layer.diffId)),
    ]);
  } catch (error) {
    if (error instanceof SandboxError) throw error;
    throw new SandboxError("refused", `the image's layer ${layer.file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (layer.fileDigest !== undefined && stored.digest("hex") !== layer.fileDigest)
    throw new SandboxError("refused", `the image's layer ${layer.file} does not have the digest it is named by`);
  if (plain.digest("hex") !== layer.diffId)
    throw new SandboxError(
      "refused",
      `the image's layer ${layer.file} does not hold what the image's configuration says`,
    );
  return scan.size;
}

function tap(look: (piece: Buffer) => void): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      look(piece);
      done(null, piece);
    },
  });
}

const BLOCK = 512;

/** Passes an archive on unchanged, and reads its entries' headers meanwhile. */
class Scan extends Transform {
  size = 0;
  readonly #hash: Hash;
  readonly #budget: Budget;
  readonly #extract = tar.extract();
  readonly #read: Promise<void>;
  #failure: Error | undefined;

  constructor(hash: Hash, budget: Budget) {
    super();
    this.#hash = hash;
    this.#budget = budget;
    this.#read = this.#entries().catch((error: Error) => {
      this.#failure = error;
      this.#extract.destroy();
    });
  }

  async #entries(): Promise<void> {
    for await (const entry of this.#extract) {
      const { type, pax, name } = entry.header;
      this.#budget.entry();
      if (!TYPES.includes(String(type)))
        throw new SandboxError("refused", `the image has "${name.slice(0, 200)}" of a kind that cannot be unpacked`);
      // A few bytes here could say of a file that it is as large as one likes.
      if (Object.keys(pax ?? {}).some((key) => key.startsWith("GNU.sparse")))
        throw new SandboxError("refused", `the image has a sparse file, "${name.slice(0, 200)}"`);
      entry.resume();
    }
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      if (this.#failure !== undefined) throw this.#failure;
      this.size += piece.length;
      this.#budget.bytes(piece.length);
      this.#hash.update(piece);
    } catch (error) {
      done(error as Error);
      return;
    }
    const pass = (): void => done(this.#failure ?? null, piece);
    if (this.#extract.write(piece)) pass();
    else {
      const go = (): void => {
        this.#extract.off("drain", go);
        this.#extract.off("close", go);
        pass();
      };
      this.#extract.on("drain", go);
      this.#extract.on("close", go);
    }
  }

  override _flush(done: TransformCallback): void {
    // `umoci insert` leaves out the padding behind the last file.
    this.#extract.end(Buffer.alloc((BLOCK - (this.size % BLOCK)) % BLOCK));
    void this.#read.then(() => done(this.#failure ?? null));
  }
}
