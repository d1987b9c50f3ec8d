import type { MountSettings } from "dockerode";
import type { ReadOnlyMount } from "../types.ts";

/** An unnamed volume of the container's own: an overlay over a folder that the engine sees too. */
export function overlayVolume({ source, target }: ReadOnlyMount, empty: string): MountSettings {
  const mount = {
    Type: "volume",
    Target: target,
    VolumeOptions: {
      NoCopy: true,
      DriverConfig: {
        Name: "local",
        Options: { type: "overlay", device: "overlay", o: `ro,nosuid,nodev,lowerdir=${source}:${empty}` },
      },
    },
  };
  // Without a name, on which the types insist.
  return mount as unknown as MountSettings;
}
