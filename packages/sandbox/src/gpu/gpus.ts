/**
 * GPUs for boxes. Theory of operation: the vendor says in CDI files what a device needs; that becomes device nodes, files of the
 * driver and variables of the box (gpu-parts.ts). Its hooks, programs to be run as root, are not run, and named in the stamp. The
 * memory of the GPUs is nobody's namespace: what a box's processes hold of it is asked of the driver (vram-meter.ts), and a box
 * that holds more than its limit is ended.
 *
 * A host without GPUs does none of this.
 */
import { SandboxError } from "../errors.ts";
import type { GiveUp, Limits, SandboxSpec, SandboxStamp } from "../types.ts";
import { editsOf } from "./cdi-registry.ts";
import { type GpuParts, gpuParts } from "./gpu-parts.ts";
import { VramMeter } from "./vram-meter.ts";

export interface TakenGpus {
  readonly parts: GpuParts;
  readonly meter: VramMeter | undefined;
  readonly gaveUp: readonly GiveUp[];
  readonly stamp: NonNullable<SandboxStamp["gpus"]>;
}

/** Throws SandboxError `refused` if any are asked for, in a tier that cannot give them. */
export function refuseGpus({ gpus = [], tier }: SandboxSpec): void {
  if (gpus.length > 0)
    throw new SandboxError("refused", `the tier ${tier} cannot be given ${gpus.join(", ")}; the tier container can`);
}

export class Gpus {
  #meter: Promise<VramMeter> | undefined;

  /**
   * What a box of this kind needs; undefined where it asks for none. Throws SandboxError `refused` for devices that are not there,
   * and for a limit of their memory that cannot be watched and was not given up.
   */
  async take(spec: SandboxSpec, limits: Limits, giveUp: readonly GiveUp[]): Promise<TakenGpus | undefined> {
    const { gpus = [] } = spec;
    if (gpus.length === 0) return undefined;
    const parts = gpuParts(editsOf(gpus));
    let meter: VramMeter | undefined;
    const gaveUp: GiveUp[] = [];
    try {
      meter = await this.#open();
    } catch (error) {
      if (limits.vramBytes !== undefined) {
        if (!giveUp.includes("vramBytes"))
          throw new SandboxError(
            "refused",
            `this host cannot enforce what was asked for:\n  vramBytes: ${(error as Error).message}\nMend that, or give it up by name (vramBytes).`,
            { cause: error },
          );
        gaveUp.push("vramBytes");
      }
    }
    return { parts, meter, gaveUp, stamp: { devices: [...gpus], hooksLeftOut: parts.hooksLeftOut } };
  }

  /** One for all boxes; a new one when it has failed. */
  #open(): Promise<VramMeter> {
    const earlier = this.#meter;
    const next = (async () => {
      const before = await earlier?.catch(() => undefined);
      if (before !== undefined && before.problem === undefined) return before;
      await before?.close();
      return VramMeter.open();
    })();
    next.catch(() => {});
    this.#meter = next;
    return next;
  }

  async close(): Promise<void> {
    const meter = await this.#meter?.catch(() => undefined);
    await meter?.close();
  }
}
