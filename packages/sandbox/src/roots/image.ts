/**
 * Which image is meant, and what it is made of: its digest, and its layers with the digests they must have. Reads what OCI
 * layouts and `docker save` write. Of an image's configuration only the layers' digests are looked at.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { SandboxError } from "../errors.ts";
import { type ImageFiles, parseJson } from "./image-files.ts";

export type Compression = "none" | "gzip" | "zstd";

export interface Layer {
  /** The file that holds it. */
  readonly file: string;
  readonly compression: Compression;
  /** Hex SHA-256 of the file, where the image gives it, and of the archive in it. */
  readonly fileDigest: string | undefined;
  readonly diffId: string;
}

export interface Image {
  /** "sha256:…": of the manifest; of a `docker save` archive without one, the image's id. */
  readonly digest: string;
  readonly layers: readonly Layer[];
}

const MOST_LAYERS = 256;

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const Descriptor = z.object({
  mediaType: z.string(),
  digest: Digest,
  size: z.int().nonnegative(),
  platform: z.object({ architecture: z.string(), os: z.string() }).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
type Descriptor = z.infer<typeof Descriptor>;
const Index = z.object({ manifests: z.array(Descriptor).max(1000) });
const Manifest = z.object({ config: Descriptor, layers: z.array(Descriptor).max(MOST_LAYERS) });
const Config = z.object({ rootfs: z.object({ diff_ids: z.array(Digest).max(MOST_LAYERS) }) });
const Saved = z
  .array(
    z.object({
      Config: z.string(),
      RepoTags: z.array(z.string()).nullish(),
      Layers: z.array(z.string()).max(MOST_LAYERS),
    }),
  )
  .max(1000);

const INDEXES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const TAG = "org.opencontainers.image.ref.name";

const COMPRESSIONS: Readonly<Record<string, Compression>> = {
  "application/vnd.oci.image.layer.v1.tar": "none",
  "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
  "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
  "application/vnd.docker.image.rootfs.diff.tar": "none",
  "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
};

const hex = (digest: string): string => digest.slice("sha256:".length);
const blob = (digest: string): string => `blobs/sha256/${hex(digest)}`;

/** `tag`: which of several; undefined is right where there is one. Throws SandboxError `refused`. */
export async function readImage(files: ImageFiles, tag: string | undefined): Promise<Image> {
  if (await files.has("index.json")) return fromLayout(files, tag);
  if (await files.has("manifest.json")) return fromSaved(files, tag);
  throw new SandboxError("refused", "this is no image: it has neither an index.json nor a manifest.json");
}

async function verified(files: ImageFiles, { digest }: Descriptor): Promise<Buffer> {
  const bytes = await files.bytes(blob(digest));
  if (createHash("sha256").update(bytes).digest("hex") !== hex(digest))
    throw new SandboxError("refused", `the image's ${blob(digest)} does not have the digest it is named by`);
  return bytes;
}

async function fromLayout(files: ImageFiles, tag: string | undefined): Promise<Image> {
  const { manifests } = parseJson(Index, await files.bytes("index.json"), "index.json");
  let chosen = choose(manifests, tag);
  if (INDEXES.includes(chosen.mediaType)) {
    const inner = parseJson(Index, await verified(files, chosen), "index");
    chosen = choose(inner.manifests, undefined);
    if (INDEXES.includes(chosen.mediaType))
      throw new SandboxError("refused", "the image's index leads to further indexes");
  }
  const manifest = parseJson(Manifest, await verified(files, chosen), "manifest");
  const diffIds = parseJson(Config, await verified(files, manifest.config), "configuration").rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length)
    throw new SandboxError(
      "refused",
      `the image has ${manifest.layers.length} layers, but ${diffIds.length} digests of layers`,
    );
  const layers = manifest.layers.map((layer, at): Layer => {
    const compression = COMPRESSIONS[layer.mediaType];
    if (compression === undefined)
      throw new SandboxError("refused", `the image has a layer of the type ${layer.mediaType}, which cannot be read`);
    return { file: blob(layer.digest), compression, fileDigest: hex(layer.digest), diffId: hex(diffIds[at]!) };
  });
  return { digest: chosen.digest, layers };
}

/** By tag, then by this machine's architecture. */
function choose(all: readonly Descriptor[], tag: string | undefined): Descriptor {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const fits = all.filter(
    ({ platform }) => platform === undefined || (platform.os === "linux" && platform.architecture === architecture),
  );
  if (all.length > 0 && fits.length === 0)
    throw new SandboxError("refused", `the image is not for linux/${architecture}`);
  const wanted = tag ?? (fits.length > 1 ? "latest" : undefined);
  const [found] = wanted === undefined ? fits : fits.filter((one) => one.annotations?.[TAG] === wanted);
  if (found !== undefined) return found;
  const tags = fits.flatMap((one) => one.annotations?.[TAG] ?? []);
  throw new SandboxError(
    "refused",
    `there is no image${wanted === undefined ? "" : ` "${wanted}"`} in it; there are: ${tags.join(", ") || "none"}`,
  );
}

async function fromSaved(files: ImageFiles, tag: string | undefined): Promise<Image> {
  const all = parseJson(Saved, await files.bytes("manifest.json"), "manifest.json");
  const named = all.filter(({ RepoTags }) => RepoTags?.some((name) => name === tag || name.endsWith(`:${tag}`)));
  const [found] = tag === undefined && all.length === 1 ? all : named;
  if (found === undefined)
    throw new SandboxError(
      "refused",
      `which image is meant? It holds: ${all.flatMap(({ RepoTags }) => RepoTags ?? []).join(", ") || "none"}`,
    );
  const config = await files.bytes(found.Config);
  const diffIds = parseJson(Config, config, "configuration").rootfs.diff_ids;
  if (diffIds.length !== found.Layers.length)
    throw new SandboxError(
      "refused",
      `the image has ${found.Layers.length} layers, but ${diffIds.length} digests of layers`,
    );
  return {
    digest: `sha256:${createHash("sha256").update(config).digest("hex")}`,
    layers: found.Layers.map((file, at) => ({
      file,
      compression: "none",
      fileDigest: undefined,
      diffId: hex(diffIds[at]!),
    })),
  };
}
