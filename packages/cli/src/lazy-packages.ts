/** Sets of Python packages, opened when the first is asked for. */
import type { SandboxHost } from "@lanista/sandbox/host";
import { type PackageSet, PackageSets, type PackageSetsOptions } from "@lanista/sandbox/python/package-sets";

/** Most bundles ask for no packages, and opening the sets looks after those that are there. */
export class LazyPackages {
  readonly #open: () => Promise<PackageSets>;
  #sets: Promise<PackageSets> | undefined;

  constructor(host: SandboxHost, options: Omit<PackageSetsOptions, "host">) {
    this.#open = () => PackageSets.open({ host, ...options });
  }

  async ensure(requirements: string, signal?: AbortSignal): Promise<PackageSet> {
    this.#sets ??= this.#open();
    return (await this.#sets).ensure(requirements, signal === undefined ? {} : { signal });
  }

  async close(): Promise<void> {
    await (await this.#sets)?.close();
  }
}
