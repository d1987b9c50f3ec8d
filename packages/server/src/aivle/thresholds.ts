/**
 * A queue says how much of a machine must be free for its jobs. With less, no more are taken: at once here, and by the site,
 * which is asked to stop this worker, so that its people see it; once there is enough again the site is asked to resume it. The
 * site's stop comes as remote control. Where the site's people have stopped this worker themselves, it stays stopped.
 */
import type { Logger } from "pino";
import { pause } from "../worker/backoff.ts";
import type { Floor } from "../worker/floors.ts";
import type { Machine, MachineWatch } from "../worker/machine.ts";
import { Pauses } from "../worker/pauses.ts";
import { SignalFlag } from "../worker/signal-flag.ts";
import type { Site, SiteQueue } from "./site.ts";

const MIB = 2 ** 20;
/** Between two looks at what the queue asks for. */
const REFRESH_MS = 10_000;
/** A site that said it stops us is given so long to do it. */
const STOP_MS = 60_000;
const RETRY_MS = 5000;

/** `cpu_required` is in per cent of all CPUs; GPU memory counts only where there is a GPU, as in aiVLE's worker. */
export function queueFloor({ name, cpu_required, ram_required, vram_required }: SiteQueue, total: Machine): Floor {
  return {
    of: `the queue ${name}`,
    keepFree: {
      cpus: (cpu_required / 100) * total.cpus,
      memoryBytes: ram_required * MIB,
      ...(total.gpus > 0 && { vramBytes: vram_required * MIB }),
    },
  };
}

export interface ThresholdOptions {
  readonly machine: MachineWatch;
  readonly site: Site;
  readonly queue: SiteQueue;
  /** `name@host`. */
  readonly worker: string;
  readonly log: Logger;
  /** Whether the site can stop and resume this worker. */
  readonly controlled: boolean;
  /** Whether the queue would be consumed, were it not for us: remote control may have stopped it. */
  readonly wanted: (queue: string) => boolean;
  readonly pause: (paused: boolean) => void;
}

export class Thresholds {
  readonly #options: ThresholdOptions;
  readonly #pauses: Pauses;
  readonly #changed = new SignalFlag();
  #queue: SiteQueue;
  /** The site was asked to stop us, whatever it answered, so it is to be asked to resume us. */
  #asked = false;

  constructor(options: ThresholdOptions) {
    this.#options = options;
    this.#queue = options.queue;
    const none: Floor = { of: "this worker", keepFree: {} };
    this.#pauses = new Pauses(options.machine, none, options.log, () => this.#changed.raise());
  }

  /** Why no jobs are taken; empty where they are. */
  get reason(): string {
    return this.#pauses.reason;
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#pauses.set([queueFloor(this.#queue, this.#options.machine.total)]);
    await Promise.all([this.#pauses.run(signal), this.#refresh(signal), this.#follow(signal)]);
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { site, machine, log } = this.#options;
    while (!signal.aborted) {
      await pause(REFRESH_MS, signal);
      if (signal.aborted) return;
      try {
        const queue = await site.queue(this.#queue.name, signal);
        if (queue !== undefined) this.#queue = queue;
        await this.#pauses.set([queueFloor(this.#queue, machine.total)]);
      } catch (error) {
        log.debug(`the queue's thresholds stay as they are: ${(error as Error).message}`);
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { controlled, wanted } = this.#options;
    let quietUntil = 0;
    while (!signal.aborted) {
      const { open } = this.#pauses;
      this.#options.pause(!open);
      if (!open && controlled && wanted(this.#queue.name) && performance.now() >= quietUntil) {
        this.#asked = true;
        if (await this.#ask("stop", signal)) quietUntil = performance.now() + STOP_MS;
      } else if (open && this.#asked) {
        this.#asked = !(await this.#ask("resume", signal));
        quietUntil = 0;
      }
      await this.#changed.wait(RETRY_MS, signal);
    }
  }

  /** Whether the site has done so. */
  async #ask(what: "stop" | "resume", signal: AbortSignal): Promise<boolean> {
    const { site, worker, log } = this.#options;
    try {
      if (what === "stop") await site.stopConsuming(this.#queue.id, worker, signal);
      else await site.resumeConsuming(this.#queue.id, worker, signal);
      log.info(`the site was asked to ${what} this worker`);
      return true;
    } catch (error) {
      if (!signal.aborted) log.warn(`the site did not ${what} this worker: ${(error as Error).message}`);
      return false;
    }
  }
}
