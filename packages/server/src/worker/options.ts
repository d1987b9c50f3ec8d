/** What a worker is asked to be, complete. */
import { hostname } from "node:os";
import { LanistaError } from "@lanista/api/errors";
import type { GiveUp, Tier } from "@lanista/sandbox/types";
import type { Logger } from "pino";
import type { PackageWishes } from "../config/package-settings.ts";
import type { ResourcesRow } from "../db/types.ts";

export interface WorkerOptions {
  /** Such as `https://lanista.example.org`: the only place it calls. */
  readonly server: string;
  readonly token: string;
  readonly log: Logger;
  /** The host's folder of runners, mounted into sandboxes. */
  readonly guestDir: string;
  /** The version it says of itself. */
  readonly version: string;
  /** For people. Default: the host's name. */
  readonly name?: string;
  /** Default: `default`. */
  readonly queues?: readonly string[];
  /** Jobs at a time, 1 … 1024. Default: 1. */
  readonly concurrency?: number;
  /** The tiers it offers, of those that work here. Default: all but `none`, which has no walls. */
  readonly tiers?: readonly Tier[];
  /** Limits that its boxes go without where this host cannot enforce them; a tier that needs more than these is not offered. */
  readonly giveUp?: readonly GiveUp[];
  /** Bundles are kept here, by their digests. Default: in the process's own folder, so for as long as it lives. */
  readonly cacheDir?: string;
  /** Bytes of bundles kept. Default: 4 GiB. */
  readonly cacheBytes?: number;
  /** With less than this free it takes no jobs, whatever its queues say. */
  readonly keepFree?: ResourcesRow;
  /** What it gives to jobs that ask for GPUs, by their CDI names: each to one job at a time. Default: none. */
  readonly gpus?: readonly string[];
  /** Where the packages of gradings come from, and what they may take. Default: as uv's and pip's variables say, else PyPI. */
  readonly packages?: PackageWishes;
  /** Python of the agents. Default: `python3`. */
  readonly python?: string;
  /** The root of agents' boxes in the tiers `container` and `gvisor`: an image's layout or archive. Default: the host's /usr. */
  readonly image?: string;
}

export type WorkerPlan = Required<Omit<WorkerOptions, "cacheDir" | "tiers" | "image" | "packages">> &
  Pick<WorkerOptions, "cacheDir" | "tiers" | "image" | "packages">;

const QUEUE = /^[a-z0-9][a-z0-9-]{0,62}$/;

function check(ok: boolean, message: string): void {
  if (!ok) throw new LanistaError("invalid", message);
}

/** Throws LanistaError `invalid`, saying what is out of its range. */
export function planWorker(options: WorkerOptions): WorkerPlan {
  const plan: WorkerPlan = {
    ...options,
    name: options.name ?? hostname(),
    queues: [...new Set(options.queues ?? ["default"])],
    concurrency: options.concurrency ?? 1,
    giveUp: options.giveUp ?? [],
    cacheBytes: options.cacheBytes ?? 4 * 1024 ** 3,
    keepFree: options.keepFree ?? {},
    gpus: [...new Set(options.gpus ?? [])],
    python: options.python ?? "python3",
  };
  check(
    /^https?:\/\/[^/]/.test(plan.server),
    `the server is a URL that begins with http: or https:, not ${plan.server}`,
  );
  check(plan.token !== "", "a worker needs a token of the scope worker");
  check(plan.name.length >= 1 && plan.name.length <= 100, "a worker's name has 1 to 100 characters");
  check(plan.queues.length >= 1 && plan.queues.length <= 32, "a worker has 1 to 32 queues");
  for (const queue of plan.queues) check(QUEUE.test(queue), `"${queue}" is no queue's name`);
  check(plan.gpus.length <= 64, "a worker has at most 64 GPUs");
  const { concurrency } = plan;
  check(
    Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 1024,
    "concurrency is an integer in 1 … 1024",
  );
  return plan;
}
