/**
 * GPUs that are handed out one by one have to be others each. The same one can go by several names (its number, its UUID, "all"), and
 * a part of one (MIG) has the node of the whole beside its own.
 */
import { SandboxError } from "../errors.ts";
import { cdiFolders, editsOf } from "./cdi-registry.ts";
import { gpuParts } from "./gpu-parts.ts";

/**
 * Throws SandboxError `refused` for devices that are not there, that a box cannot be given, and where all nodes of one are another's,
 * too: whoever had either would have both, or a part of both.
 */
export function refuseSharedGpus(names: readonly string[], folders: readonly string[] = cdiFolders()): void {
  const known = names.map((name) => {
    // The first are the device's own; what its file asks for all is everybody's.
    const [own] = editsOf([name], folders);
    gpuParts(editsOf([name], folders));
    return { name, nodes: gpuParts([own!]).devices.map(({ type, major, minor }) => `${type} ${major}:${minor}`) };
  });
  for (const [at, one] of known.entries())
    for (const other of known.slice(at + 1)) {
      const [fewer, more] = one.nodes.length <= other.nodes.length ? [one, other] : [other, one];
      if (fewer.nodes.length === 0 || !fewer.nodes.every((node) => more.nodes.includes(node))) continue;
      throw new SandboxError(
        "refused",
        `${fewer.name} and ${more.name} are the same GPU, or one is a part of the other`,
      );
    }
}
