import type { PackageSet } from "@lanista/sandbox/python/package-sets";

/** Makes what a requirements.txt asks for. Throws an error of `kind` "requirements" where the requirements are at fault. */
export type PackagesProvider = (requirements: string, signal?: AbortSignal) => Promise<PackageSet>;
