/** Environments from bundles on the command line: a folder or a .zip in the place of an id. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type BundledSource, EnvironmentBoxes, type PackagesProvider } from "@lanista/arena/bundled/environment-boxes";
import { type BundledEnvironment, takeBundledEnvironment } from "@lanista/arena/bundled/take";
import { sourceOf } from "@lanista/arena/episodes/built-in";
import type { EpisodeSource } from "@lanista/arena/episodes/episodes";
import { environments } from "@lanista/games/registry";
import type { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import type { ArenaOptions } from "./arena.ts";
import { closing } from "./closing.ts";
import { builtIn, fixed, parseOptions } from "./environments.ts";
import { LazyPackages } from "./lazy-packages.ts";
import { GUEST_DIR } from "./places.ts";

/** Whether it names a bundle: a .zip, or a folder that is there. A built-in environment's id comes first. */
export function namesBundle(name: string): boolean {
  if (environments.has(name)) return false;
  return /\.zip$/i.test(name) || (existsSync(name) && statSync(name).isDirectory());
}

/** Takes the bundle in and gives `use` the boxes for it; all is released after. Throws EnvironmentBundleError and BundleError. */
export async function withBundle<T>(
  host: SandboxHost,
  path: string,
  options: ArenaOptions,
  use: (boxes: EnvironmentBoxes, bundle: BundledEnvironment) => Promise<T>,
  onUnclosed: (error: Error) => void,
): Promise<T> {
  const bundle = await takeBundledEnvironment(path, join(host.workDir, "environments"));
  const { image: _, ...box } = options;
  const places = { ...box, guestDir: GUEST_DIR };
  return closing(
    new LazyPackages(host, places),
    async (sets) => {
      const python = bundle.requirements === null ? { python: await findPython() } : {};
      const packages: PackagesProvider = (requirements, stop) => sets.ensure(requirements, stop);
      return use(new EnvironmentBoxes(host, { ...places, ...python, packages }), bundle);
    },
    onUnclosed,
  );
}

export interface SourceRequest {
  readonly path: string;
  /** As given with --option. */
  readonly given: readonly string[];
  readonly options: ArenaOptions;
  readonly signal: AbortSignal;
  readonly onUnclosed: (error: Error) => void;
}

/** The built-in environment that is named; undefined where a bundle is. Throws UsageError and OptionError. */
export function namedBuiltIn(name: string, given: readonly string[]): EpisodeSource | undefined {
  return namesBundle(name) ? undefined : sourceOf(fixed(builtIn(name), given));
}

/** The environment of a bundle with its options fixed, opened once. Throws what withBundle and EnvironmentBoxes.source throw. */
export function withSource<T>(
  host: SandboxHost,
  { path, given, options, signal, onUnclosed }: SourceRequest,
  use: (source: BundledSource) => Promise<T>,
): Promise<T> {
  return withBundle(
    host,
    path,
    options,
    async (boxes, bundle) =>
      closing(await boxes.source(bundle, parseOptions(bundle.manifest, given), signal), use, onUnclosed),
    onUnclosed,
  );
}
