/** What killed host processes left behind: processes, control groups and folders (owners.ts), and an engine's containers. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type CgroupLayout, cgroupLayout } from "./cgroup-layout.ts";
import { ENGINE_USED } from "./docker/docker-tier.ts";
import { connectEngine, engineAddress } from "./docker/engine.ts";
import { removeDeadContainers } from "./docker/leftovers.ts";
import { isDeadOwner, removeLeftovers } from "./owners.ts";

/**
 * Removes all of it and says what it removed. An engine is asked only where a dead host used one, or `everywhere` is set; one
 * that does not answer is passed over, and asked again by whoever next starts a box in it.
 */
export async function removeAllLeftovers(
  runDir: string,
  layout: CgroupLayout = cgroupLayout(),
  everywhere = false,
): Promise<string[]> {
  const used = existsSync(runDir)
    ? readdirSync(runDir).some((name) => isDeadOwner(name) && existsSync(join(runDir, name, ENGINE_USED)))
    : false;
  const removed: string[] = [];
  if ((used || everywhere) && engineAddress() !== undefined)
    try {
      removed.push(...(await removeDeadContainers((await connectEngine()).docker)));
    } catch (error) {
      process.emitWarning(`looking for left containers: ${(error as Error).message}`, "LanistaWarning");
    }
  return [...removed, ...(await removeLeftovers(runDir, layout))];
}
