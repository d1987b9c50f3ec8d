import { statSync } from "node:fs";
import { LanistaError } from "@lanista/api/errors";
import { SandboxError } from "@lanista/sandbox/errors";
import { indexSettings } from "@lanista/sandbox/python/index-settings";
import type { PackageWishes } from "../config/package-settings.ts";

/**
 * What is set wrong is said at the start, and not by the first grading that needs packages. What variables of uv's and pip's say is not
 * looked at where nothing is set: a worker may never build any. Throws LanistaError `invalid`.
 */
export function checkPackages({ index, uv }: PackageWishes): void {
  try {
    if (Object.keys(index).length > 0) indexSettings(index);
    if (uv !== undefined && !statSync(uv, { throwIfNoEntry: false })?.isFile())
      throw new SandboxError("refused", `there is no uv at ${uv}`);
  } catch (error) {
    if (error instanceof SandboxError)
      throw new LanistaError("invalid", `packages: ${error.message}`, { cause: error });
    throw error;
  }
}
