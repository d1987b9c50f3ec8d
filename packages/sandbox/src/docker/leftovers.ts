/** Containers that killed host processes left in an engine. */
import type Docker from "dockerode";
import { isDeadOwner } from "../owners.ts";
import { BOOT_LABEL, OWNER_LABEL } from "./container.ts";
import { bootId, statusOf } from "./engine.ts";

/** Another boot of this host, or another host: what does not run there any more is removed after this many seconds. */
const FOREIGN_SECONDS = 24 * 3600;

/** Removes the containers of dead owners, with their volumes. Says whose they were. */
export async function removeDeadContainers(docker: Docker): Promise<string[]> {
  const boot = bootId();
  const found = await docker.listContainers({ all: true, filters: { label: [OWNER_LABEL] } });
  const dead = found.filter(({ Labels, State, Created }) => {
    const owner = Labels[OWNER_LABEL] ?? "";
    if (Labels[BOOT_LABEL] === boot) return isDeadOwner(owner);
    return State !== "running" && State !== "paused" && Date.now() / 1000 - Created > FOREIGN_SECONDS;
  });
  await Promise.all(
    dead.map(async ({ Id }) => {
      try {
        await docker.getContainer(Id).remove({ force: true, v: true });
      } catch (error) {
        // Gone, or somebody else, such as its guard, is removing it now.
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
      }
    }),
  );
  const { Volumes } = await docker.listVolumes({ filters: { label: [OWNER_LABEL] } });
  for (const { Name, Labels } of Volumes ?? [])
    if (Labels?.[BOOT_LABEL] === boot && isDeadOwner(Labels[OWNER_LABEL] ?? ""))
      await docker
        .getVolume(Name)
        .remove()
        .catch((error: unknown) => {
          if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
        });
  return dead.map(({ Names, Id }) => `container ${Names[0]?.replace(/^\//, "") ?? Id}`);
}
