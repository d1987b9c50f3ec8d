/**
 * Packages for old bundles. Most of aiVLE's name gym of before 0.22, whose own metadata no installer of today takes (uv refuses
 * it, built or not). Where that is what fails, the last gym of the same interface stands in for it, and the grade says so.
 */
import {
  type EnsureOptions,
  type PackageSet,
  PackageSets,
  type PackageSetsOptions,
} from "@lanista/sandbox/python/package-sets";
import { PackagesError } from "@lanista/sandbox/python/packages-error";

const OLD_GYM = /^(\s*gym(?:\[[^\]]*\])?)\s*==\s*(0\.(?:19|20|21)(?:\.\d+)?)\s*(?=#|;|$)/im;
const STAND_IN = "0.25.2";

export interface LegacyPackageSet extends PackageSet {
  /** What is in it in another version than was asked for. */
  readonly note?: string;
}

export class LegacyPackages {
  readonly #sets: PackageSets;

  private constructor(sets: PackageSets) {
    this.#sets = sets;
  }

  static async open(options: PackageSetsOptions): Promise<LegacyPackages> {
    return new LegacyPackages(await PackageSets.open(options));
  }

  /** Throws as PackageSets does; where both fail, the first reason. */
  async ensure(requirements: string, options: EnsureOptions = {}): Promise<LegacyPackageSet> {
    try {
      return await this.#sets.ensure(requirements, options);
    } catch (error) {
      const old = OLD_GYM.exec(requirements)?.[2];
      if (!(error instanceof PackagesError) || error.kind !== "requirements" || old === undefined) throw error;
      const set = await this.#sets.ensure(withStandIn(requirements), options).catch((second: unknown) => {
        throw second instanceof PackagesError && second.kind === "requirements" ? error : second;
      });
      return { ...set, note: `gym ${STAND_IN} in the place of ${old}, which cannot be installed any more` };
    }
  }

  async close(): Promise<void> {
    await this.#sets.close();
  }
}

/** It was written for NumPy of before 2. */
export function withStandIn(requirements: string): string {
  const text = requirements.replace(OLD_GYM, `$1==${STAND_IN}`);
  return /^\s*numpy\b/im.test(text) ? text : `${text}\nnumpy<2`;
}
