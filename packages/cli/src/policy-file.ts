/** A validation's policy, read from a YAML file of the user's. */
import { readFile, stat } from "node:fs/promises";
import { PolicyError, parsePolicy, type ValidationPolicy } from "@lanista/arena/validation/policy";
import { parse, YAMLError } from "yaml";
import { existingFile } from "./environments.ts";
import { UsageError } from "./usage-error.ts";

const MAX_BYTES = 64 * 1024;

/** The default policy where no file is named. Throws UsageError, with the place of what is wrong. */
export async function readPolicy(name: string | undefined): Promise<ValidationPolicy> {
  if (name === undefined) return parsePolicy(null);
  const path = existingFile(name);
  if ((await stat(path)).size > MAX_BYTES) throw new UsageError(`${name} is over ${MAX_BYTES} bytes: no policy is`);
  try {
    return parsePolicy(parse(await readFile(path, "utf8")), name);
  } catch (error) {
    if (error instanceof PolicyError) throw new UsageError(error.message);
    if (error instanceof YAMLError) throw new UsageError(`${name} is not YAML: ${error.message}`);
    throw error;
  }
}
