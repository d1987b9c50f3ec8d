/** Options of commands that build Python packages, and what they become. */
import type { PackageSetsOptions } from "@lanista/sandbox/python/package-sets";
import type { Command } from "commander";
import { repeated } from "./option-values.ts";
import { addBoxOptions, arenaOptions, type BoxOptions } from "./play-options.ts";

export interface PackageOptions extends BoxOptions {
  readonly image?: string;
  readonly indexUrl?: string;
  readonly extraIndexUrl?: readonly string[];
  readonly findLinks?: readonly string[];
  readonly offline?: true;
  readonly constraints?: string;
  readonly buildConstraints?: string;
  readonly caFile?: string;
  readonly uv?: string;
  readonly cacheDir?: string;
}

export function addPackageOptions(command: Command): Command {
  return addBoxOptions(
    command
      .option("--index-url <url>", "the package index (default: what UV_*, PIP_* or pip.conf say, else PyPI)")
      .option("--extra-index-url <url>", "an index that is asked before it; may be repeated", repeated)
      .option("--find-links <folder>", "a folder of packages; may be repeated", repeated)
      .option("--offline", "no index: only folders of packages")
      .option("--constraints <file>", "versions to take where requirements leave a choice")
      .option("--build-constraints <file>", "the same for what packages are built with")
      .option("--ca-file <file>", "certificates to trust beside the usual ones")
      .option("--uv <path>", "a uv of your own (default: a pinned version from the index)")
      .option("--cache-dir <dir>", "keep them below it (default: LANISTA_CACHE_DIR, or /var/cache/lanista)"),
    false,
  ).option("--image <image>", "an OCI layout or archive as the root, where it will be that of the agents' sandboxes");
}

export function packageSetsOptions(
  options: PackageOptions,
): Pick<PackageSetsOptions, "tier" | "runtime" | "giveUp" | "root" | "python" | "index" | "uv" | "cacheDir"> {
  const { image, indexUrl, extraIndexUrl, findLinks, offline, constraints, buildConstraints, caFile } = options;
  const { uv, cacheDir } = options;
  return {
    ...arenaOptions(options),
    // An image brings its own.
    ...(image === undefined ? {} : { root: { image }, python: { path: "/usr/bin/python3", mounts: [] } }),
    index: {
      ...(indexUrl === undefined ? {} : { indexUrl }),
      ...(extraIndexUrl === undefined ? {} : { extraIndexUrls: extraIndexUrl }),
      ...(findLinks === undefined ? {} : { findLinks }),
      ...(offline === undefined ? {} : { offline }),
      ...(constraints === undefined ? {} : { constraints }),
      ...(buildConstraints === undefined ? {} : { buildConstraints }),
      ...(caFile === undefined ? {} : { caFile }),
    },
    ...(uv === undefined ? {} : { uv }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
  };
}
