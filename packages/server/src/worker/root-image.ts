/**
 * An image of a worker's own as the root of agents' boxes, for jobs that name none. It is a layout or an archive, which the
 * tiers `container` and `gvisor` take; the engine of the tier `docker` has images of its own, which jobs name. Whether Python
 * runs in it is found out when the worker starts, where it is unpacked, and not by the first match.
 */
import { LanistaError } from "@lanista/api/errors";
import { imageCommand } from "@lanista/arena/agents/command";
import { cleanDetail } from "@lanista/arena/seat-fault";
import { SeatLog } from "@lanista/arena/seat-log";
import type { SandboxHost } from "@lanista/sandbox/host";
import type { Runtime, Tier } from "@lanista/sandbox/types";
import type { TierAbility } from "./abilities.ts";
import type { WorkerPlan } from "./options.ts";

/** Seconds, once it is unpacked. */
const TRIAL_SECONDS = 60;

export const takesLayouts = (tier: Tier): boolean => tier === "container" || tier === "gvisor";

/** Throws LanistaError `invalid` where Python does not run in it, or no tier here takes it; SandboxError where it cannot be unpacked. */
export async function tryImage(
  host: SandboxHost,
  tiers: readonly TierAbility[],
  { image, giveUp, guestDir }: Pick<WorkerPlan, "image" | "giveUp" | "guestDir">,
): Promise<void> {
  if (image === undefined) return;
  const found = tiers.find(({ tier }) => takesLayouts(tier));
  if (found === undefined)
    throw new LanistaError("invalid", "an image is for the tiers container and gvisor, and this worker offers neither");
  const box = await host.start({
    tier: found.tier,
    runtime: found.runtime as Runtime,
    giveUp,
    argv: ["/bin/sh", "-c", "exec python3 -c ''"],
    env: imageCommand(guestDir).env,
    root: { image },
    limits: { wallSeconds: TRIAL_SECONDS, cpuSeconds: TRIAL_SECONDS },
  });
  const log = new SeatLog(box.stderr);
  box.stdout.resume();
  const { cause } = await box.ended;
  if (cause.kind === "exit" && cause.code === 0) return;
  await log.closed;
  const said = cleanDetail(log.content().toString("utf8").slice(-500)).trim();
  throw new LanistaError(
    "invalid",
    `Python does not run in the image ${image}: ${said || `it ended by ${cause.kind}`}`,
  );
}
