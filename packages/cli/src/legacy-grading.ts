/** Opens what grading one of aiVLE's bundle pairs needs, in order, and releases it in reverse: host, packages, boxes. */
import { gradeBundles } from "@lanista/arena/legacy/grade-bundles";
import { LegacyBoxes } from "@lanista/arena/legacy/legacy-boxes";
import { LegacyPackages } from "@lanista/arena/legacy/legacy-packages";
import type { LegacyGrade, LegacyProgress, LegacySplit } from "@lanista/arena/legacy/types";
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import { closing } from "./closing.ts";
import { GUEST_DIR } from "./places.ts";
import { arenaOptions, type BoxOptions } from "./play-options.ts";

export interface LegacyOptions extends BoxOptions {
  readonly timeLimit: number;
  readonly ramLimit: number;
  readonly split: LegacySplit;
}

export interface LegacyWatch {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: LegacyProgress) => void;
  /** A line of what a build of packages does. */
  readonly onBuild: (line: string) => void;
  readonly onUnclosed: (error: Error) => void;
}

/** Throws BundleError, PackagesError `infra`, SandboxError on what the host refuses. */
export async function gradeLegacy(
  grader: string,
  agent: string,
  options: LegacyOptions,
  { signal, onProgress, onBuild, onUnclosed }: LegacyWatch,
): Promise<LegacyGrade> {
  const places = arenaOptions(options);
  const python = await findPython();
  return closing(
    await SandboxHost.open(),
    async (host) => {
      // Packages are built in boxes with walls, whatever they are then used in.
      const walls = places.tier === "container" || places.tier === "gvisor" ? places : {};
      let sets: Promise<LegacyPackages> | undefined;
      const open = (): Promise<LegacyPackages> => LegacyPackages.open({ host, guestDir: GUEST_DIR, python, ...walls });
      try {
        return await closing(
          new LegacyBoxes(host, { ...places, python, guestDir: GUEST_DIR }),
          (boxes) =>
            gradeBundles({
              boxes,
              grader,
              agent,
              limits: { ramBytes: options.ramLimit * 1024 * 1024, runSeconds: options.timeLimit },
              split: options.split,
              packages: async (requirements, aborted) => {
                sets ??= open();
                const progress = { onProgress: onBuild };
                return (await sets).ensure(
                  requirements,
                  aborted === undefined ? progress : { signal: aborted, ...progress },
                );
              },
              signal,
              onProgress,
            }),
          onUnclosed,
        );
      } finally {
        await sets?.then((opened) => opened.close()).catch(onUnclosed);
      }
    },
    onUnclosed,
  );
}
