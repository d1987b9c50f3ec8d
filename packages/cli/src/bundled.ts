/** Environments from bundles on the command line. Loaded where one is named: it brings what reads manifests, which others need not wait for. */
import { join } from "node:path";
import { type BundledSource, EnvironmentBoxes } from "@lanista/arena/bundled/environment-boxes";
import { type BundledEnvironment, takeBundledEnvironment } from "@lanista/arena/bundled/take";
import type { PackagesProvider } from "@lanista/arena/packages-provider";
import type { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import type { ArenaOptions } from "./arena.ts";
import { closing } from "./closing.ts";
import { parseOptions } from "./environments.ts";
import { LazyPackages } from "./lazy-packages.ts";
import { GUEST_DIR } from "./places.ts";

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
