/**
 * Packages for old bundles: what today's setuptools cannot build (gym of before 0.22, which most of them name) is tried once
 * more with those of its time.
 */
import { join } from "node:path";
import {
  type EnsureOptions,
  type PackageSet,
  PackageSets,
  type PackageSetsOptions,
} from "@lanista/sandbox/python/package-sets";
import { PackagesError } from "@lanista/sandbox/python/packages-error";

/** How uv says it of a package that has no wheel. */
const NOT_BUILT = /Failed to (build|download and build)/;

export class LegacyPackages {
  readonly #options: PackageSetsOptions;
  readonly #sets: PackageSets;
  #old: Promise<PackageSets> | undefined;

  private constructor(options: PackageSetsOptions, sets: PackageSets) {
    this.#options = options;
    this.#sets = sets;
  }

  static async open(options: PackageSetsOptions): Promise<LegacyPackages> {
    return new LegacyPackages(options, await PackageSets.open(options));
  }

  /** Throws as PackageSets does; where both fail, the first reason. */
  async ensure(requirements: string, options: EnsureOptions = {}): Promise<PackageSet> {
    try {
      return await this.#sets.ensure(requirements, options);
    } catch (error) {
      if (!(error instanceof PackagesError) || error.kind !== "requirements" || !NOT_BUILT.test(error.message))
        throw error;
      const { index, guestDir } = this.#options;
      const buildConstraints = join(guestDir, "legacy", "old-build.txt");
      this.#old ??= PackageSets.open({ ...this.#options, index: { ...index, buildConstraints } });
      return await (await this.#old).ensure(requirements, options).catch((second: unknown) => {
        throw second instanceof PackagesError && second.kind === "requirements" ? error : second;
      });
    }
  }

  async close(): Promise<void> {
    await (await this.#old)?.close();
    await this.#sets.close();
  }
}
