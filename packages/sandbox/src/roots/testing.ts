/** Images built byte by byte, for tests: as layouts, as archives of layouts, and as `docker save` wrote them. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import tar, { type Header } from "tar-stream";

export type Entry = Partial<Header> & { readonly name: string } & { readonly body?: string | Buffer };

export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const { body, ...header } of entries) pack.entry(header, body ?? "");
  pack.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of pack) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

export const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

export type Files = Record<string, Buffer | string>;

export interface LayoutOptions {
  readonly compress?: "none" | "gzip" | "zstd";
  readonly tag?: string;
  /** Changes what is written last, so that only the thing it is about is wrong. */
  readonly spoil?: (files: Files) => void;
  /** Digests the configuration names instead of the true ones. */
  readonly diffIds?: readonly string[];
}

const SUFFIX = { none: "", gzip: "+gzip", zstd: "+zstd" };

/** The files of a layout with one image of these layers (tar archives), by name. */
export function layoutFiles(layers: readonly Buffer[], options: LayoutOptions = {}): Files {
  const { compress = "gzip", tag = "latest" } = options;
  const files: Files = { "oci-layout": '{"imageLayoutVersion":"1.0.0"}' };
  const blob = (mediaType: string, bytes: Buffer | string): { mediaType: string; digest: string; size: number } => {
    files[`blobs/sha256/${sha256(bytes)}`] = bytes;
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: Buffer.byteLength(bytes) };
  };
  const pressed = layers.map((layer) =>
    blob(
      `application/vnd.oci.image.layer.v1.tar${SUFFIX[compress]}`,
      compress === "gzip" ? gzipSync(layer) : compress === "zstd" ? zstdCompressSync(layer) : layer,
    ),
  );
  const diff_ids = options.diffIds ?? layers.map((layer) => `sha256:${sha256(layer)}`);
  const config = blob(
    "application/vnd.oci.image.config.v1+json",
    JSON.stringify({ architecture: "amd64", os: "linux", config: { User: "0" }, rootfs: { type: "layers", diff_ids } }),
  );
  const manifest = blob(
    "application/vnd.oci.image.manifest.v1+json",
    JSON.stringify({ schemaVersion: 2, config, layers: pressed }),
  );
  const annotations = { "org.opencontainers.image.ref.name": tag };
  files["index.json"] = JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] });
  options.spoil?.(files);
  return files;
}

/** The files of what `docker save` wrote, up to version 24, by name. */
export function savedFiles(layers: readonly Buffer[], tags: readonly string[]): Files {
  const config = JSON.stringify({
    rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) },
  });
  const names = layers.map((layer) => `${sha256(layer)}/layer.tar`);
  return {
    ...Object.fromEntries(layers.map((layer, at) => [names[at]!, layer])),
    [`${sha256(config)}.json`]: config,
    "manifest.json": JSON.stringify([{ Config: `${sha256(config)}.json`, RepoTags: tags, Layers: names }]),
  };
}

export function writeFiles(folder: string, files: Files): string {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}

export function archiveOf(files: Files): Promise<Buffer> {
  return tarOf(Object.entries(files).map(([name, body]) => ({ name: `./${name}`, body })));
}
