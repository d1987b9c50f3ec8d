/** Python packages for tests, in a virtual environment kept under .cache. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const SCRIPT = join(import.meta.dirname, "..", "..", "scripts", "python-packages.sh");
const NOT_TO_BE_HAD = 75;

/**
 * The environment's folder (`bin/python` is in it), or null where the packages cannot be had: then the test is skipped. Where
 * CI is set that is an error instead.
 */
export function pythonPackages(requirements: string): string | null {
  try {
    return execFileSync(SCRIPT, [requirements], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
  } catch (error) {
    if ((error as { status?: number }).status === NOT_TO_BE_HAD) return null;
    throw error;
  }
}
