/**
 * Where a worker's Python packages come from, where they are kept, and what building them may take: the same settings for every
 * worker, under its own prefix (`worker.packages.indexUrl`, `LANISTA_AIVLE_INDEX_URL`). As settings.ts this imports no code.
 */
import type { PackageSetsOptions } from "@lanista/sandbox/python/package-sets";
import { bytes, count, flag, list, path, type Setting, url } from "./setting.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const DAY_SECONDS = 86_400;

export const PACKAGE_SETTINGS = {
  indexUrl: url(
    ["http", "https"],
    "",
    "the index of Python packages, with credentials if it wants some; empty: what UV_*, PIP_* or pip.conf say, else PyPI",
    { secret: true },
  ),
  extraIndexUrls: list("indexes that are asked before it", { secret: true }),
  findLinks: list("folders of packages", { path: true }),
  offline: flag(false, "ask no index: only folders of packages, and what is built already"),
  constraints: path("", "a file of versions to take where requirements leave a choice"),
  buildConstraints: path("", "the same for what packages are built with"),
  caFile: path("", "certificates to trust beside the usual ones"),
  uv: path("", "a uv of one's own; empty: a pinned version from the index"),
  cacheDir: path("", "what is built is kept below it; empty: LANISTA_CACHE_DIR, or /var/cache/lanista"),
  keepDays: count(30, 1, 3650, "so long is kept what is not used"),
  keepBytes: bytes(20 * GIB, MIB, "all that is kept together; the longest unused goes first"),
  buildSeconds: count(900, 10, DAY_SECONDS, "how long a build may take"),
  buildMemoryBytes: bytes(2 * GIB, 64 * MIB, "memory of a build, beside its disk"),
  buildDiskBytes: bytes(4 * GIB, 64 * MIB, "a build's disk, which is memory of the host as well"),
} as const;

export type PackageValues = {
  readonly [K in keyof typeof PACKAGE_SETTINGS]: (typeof PACKAGE_SETTINGS)[K] extends Setting<infer V> ? V : never;
};

/** What it is to whoever builds packages; an empty setting leaves the choice to him. */
export type PackageWishes = Required<Pick<PackageSetsOptions, "index" | "keep" | "limits">> &
  Pick<PackageSetsOptions, "uv" | "cacheDir">;

export function packageWishes(values: PackageValues): PackageWishes {
  const { indexUrl, extraIndexUrls, findLinks, offline, constraints, buildConstraints, caFile, uv, cacheDir } = values;
  return {
    index: {
      ...(indexUrl !== "" && { indexUrl }),
      ...(extraIndexUrls.length > 0 && { extraIndexUrls }),
      ...(findLinks.length > 0 && { findLinks }),
      ...(offline && { offline }),
      ...(constraints !== "" && { constraints }),
      ...(buildConstraints !== "" && { buildConstraints }),
      ...(caFile !== "" && { caFile }),
    },
    keep: { maxAgeSeconds: values.keepDays * DAY_SECONDS, maxBytes: values.keepBytes },
    limits: {
      wallSeconds: values.buildSeconds,
      memoryBytes: values.buildMemoryBytes,
      diskBytes: values.buildDiskBytes,
    },
    ...(uv !== "" && { uv }),
    ...(cacheDir !== "" && { cacheDir }),
  };
}
