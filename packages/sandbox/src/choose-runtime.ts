import { SandboxError } from "./errors.ts";
import { findExecutable, type OciRuntime, packageOf, runtimesOf } from "./runtimes.ts";
import type { SandboxSpec } from "./types.ts";

/** The runtime that is asked for, or the tier's first that is installed. Throws SandboxError `refused` if there is none. */
export function chooseRuntime(spec: SandboxSpec): OciRuntime {
  if (spec.tier !== "container" && spec.tier !== "gvisor")
    throw new SandboxError("refused", `unknown tier "${spec.tier}"; known: container, gvisor, docker, none`);
  const candidates = runtimesOf[spec.tier];
  if (spec.runtime !== undefined) {
    if (!candidates.includes(spec.runtime as OciRuntime))
      throw new SandboxError(
        "refused",
        `the runtime ${spec.runtime} does not belong to the tier ${spec.tier} (${candidates.join(", ")})`,
      );
    return spec.runtime as OciRuntime;
  }
  const found = candidates.find((name) => findExecutable(name) !== undefined);
  if (found === undefined)
    throw new SandboxError(
      "refused",
      `no runtime for the tier ${spec.tier}; on Debian: apt-get install ${candidates.map((name) => packageOf[name]).join(" or ")}`,
    );
  return found;
}
